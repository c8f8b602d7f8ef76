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


def test_a_snapshots_trace_needs_no_engine():
    program = (
        "import sys\nfrom simnet.cli.main import main\n"
        "main(['trace', 'scenarios/snapshots/seed-modes-28.5', '--from', 'wan', '--to', '192.0.2.2:1'])\n"
        "print([name for name in ('simnet.docker.engine', 'simnet.lab.terminal', 'yaml') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_scenarios_trace_needs_nothing_that_simulates():
    program = (
        "import sys\nfrom simnet.cli.main import main\n"
        "main(['trace', 'scenarios/performance/mix.yaml', '--from', 'wan', '--to', '192.0.2.2:8080'])\n"
        "print([name for name in sys.modules if name in ('numpy', 'simpy') or name.startswith('simnet.sim')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
