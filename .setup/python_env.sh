# shellcheck shell=bash
# Installs maturin, which builds the Python package, and what its tests need. Source it after env.sh and step.sh.

MATURIN_VERSION=1.16.0
PYTHON_HOME=$DERMAKE_CACHE/tools/python-$MATURIN_VERSION

python_ready() { "$PYTHON_HOME/bin/python" -c 'import numpy, PIL' && "$PYTHON_HOME/bin/maturin" --version; } >/dev/null 2>&1
install_python() {
  say "maturin $MATURIN_VERSION, NumPy and Pillow: installing them from PyPI"
  python3 -m venv --clear "$PYTHON_HOME" &&
    "$PYTHON_HOME/bin/python" -m pip install --quiet --disable-pip-version-check \
      "maturin==$MATURIN_VERSION" numpy pillow >&2
}

# shellcheck disable=SC2034 # the script that sources this reads `missing`
# find_python: fails, with the reason in `missing`, if this machine's Python cannot run the package.
find_python() {
  if python_ready; then return; fi
  if ! python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
    missing="it needs Python 3.9 or newer with venv and pip"
  elif ! (once python_ready install_python); then
    missing="maturin, NumPy and Pillow could not be installed from PyPI"
  else
    return 0
  fi
  return 1
}
