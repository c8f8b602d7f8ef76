# Sourced by scripts/test, scripts/demo and .ci/run: find a Python, make a virtual environment, install into it.

# Print a Python that is new enough: $PYTHON where it is set, else the first that fits.
find_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python python3.14 python3.13 python3.12 python3.11}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return 0
    fi
  done
  echo "simnet needs Python 3.11 or newer; none was found on PATH (set PYTHON to name one)" >&2
  return 1
}

# make_venv FOLDER: works where the venv module has no pip of its own (Debian without python3-venv) if there is any pip.
make_venv() {
  local folder=$1 python
  python=$(find_python) || return 1
  if "$python" -c 'import ensurepip' 2>/dev/null; then
    "$python" -m venv --clear "$folder"
  else
    "$python" -m venv --clear --without-pip "$folder" &&
      "$python" -m pip --disable-pip-version-check --python "$folder/bin/python" install --quiet pip
  fi || { echo "cannot make a virtual environment in $folder (on Debian: apt-get install python3-venv)" >&2; return 1; }
}

# has PYTHON MODULE...: that Python imports this checkout's simnet and finds every module.
has() {
  local python=$1
  shift
  "$python" -P - "$PWD" "$@" 2>/dev/null <<'PY'
import importlib.util
import pathlib
import sys

root, *modules = sys.argv[1:]
spec = importlib.util.find_spec("simnet")
if spec is None or not spec.origin or pathlib.Path(spec.origin).resolve().parent.parent != pathlib.Path(root).resolve():
    sys.exit(1)
sys.exit(any(importlib.util.find_spec(name) is None for name in modules))
PY
}

# ready EXTRAS MODULE...: set $python to one that has them, in .venv unless the active environment will do.
# EXTRAS is "" or "[dev]", which has the other. Installs when .venv is new or pyproject.toml has changed since.
ready() {
  local extras=$1 stamp
  shift
  if [ -n "${VIRTUAL_ENV:-}" ] && has "$VIRTUAL_ENV/bin/python" "$@"; then
    python=$VIRTUAL_ENV/bin/python
    return 0
  fi
  python=$PWD/.venv/bin/python
  for stamp in '.venv/installed[dev].toml' ".venv/installed$extras.toml"; do
    if cmp -s pyproject.toml "$stamp" && has "$python" "$@"; then
      return 0
    fi
  done
  if ! "$python" -m pip --version >/dev/null 2>&1; then
    echo "making .venv" >&2
    make_venv .venv || return 1
  fi
  echo "installing simnet$extras into .venv" >&2
  "$python" -m pip --disable-pip-version-check install --quiet --editable ".$extras" || return 1
  cp pyproject.toml "$stamp"
}
