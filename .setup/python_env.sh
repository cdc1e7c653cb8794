# shellcheck shell=bash
# Installs maturin, which builds the Python package, and what its tests need. Source it after env.sh and step.sh.

source "$(dirname "${BASH_SOURCE[0]}")/venv.sh"

MATURIN_VERSION=1.16.0
PYTHON_HOME=$DERMAKE_CACHE/tools/python-$MATURIN_VERSION

python_ready() { "$PYTHON_HOME/bin/python" -c 'import numpy, PIL' && "$PYTHON_HOME/bin/maturin" --version; } >/dev/null 2>&1
install_python() {
  say "maturin $MATURIN_VERSION, NumPy and Pillow: installing them from PyPI"
  make_venv "$PYTHON_HOME" "maturin==$MATURIN_VERSION" numpy pillow
}

# shellcheck disable=SC2034 # the script that sources this reads `missing`
# find_python: fails, with the reason in `missing`, if this machine's Python cannot run the package.
find_python() {
  if python_ready; then return; fi
  if ! has_venv 9; then
    missing="it needs Python 3.9 or newer with venv and pip"
  elif ! (once python_ready install_python); then
    missing="maturin, NumPy and Pillow could not be installed from PyPI"
  else
    return 0
  fi
  return 1
}
