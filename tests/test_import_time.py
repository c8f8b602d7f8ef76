"""`import simnet` is cheap: it brings in none of the heavy packages."""

import subprocess
import sys

HEAVY = ["matplotlib", "networkx", "numpy", "pydantic", "rich", "yaml"]


def test_import_brings_in_nothing_heavy():
    program = f"import sys, simnet; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_stack_needs_the_standard_library_alone():
    program = f"import sys, simnet.net.conversation; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
