"""How the documentation is built: ``sphinx-build -W --keep-going -b html docs docs/_build/html``."""

import pathlib
import re

_init = pathlib.Path(__file__).resolve().parent.parent / "simnet" / "__init__.py"
_version = re.search(r"""^__version__(?:: \w+)? = ["']([^"']+)["']""", _init.read_text(encoding="utf-8"), re.MULTILINE)
if _version is None:
    raise RuntimeError(f"{_init} sets no __version__")

project = "simnet"
author = "The simnet authors"
copyright = f"2026, {author}"
version = release = _version[1]

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nitpicky = True
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"simnet {release}"
