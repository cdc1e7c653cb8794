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

# find_python: fails, with the reason in `missing`, if this machine's Python cannot run the package.
find_python() { find_venv 9 python_ready install_python "maturin, NumPy and Pillow"; }
