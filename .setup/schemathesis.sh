# shellcheck shell=bash
# Schemathesis, which asks the server what its own OpenAPI document promises. Sourced, after env.sh and step.sh.

SCHEMATHESIS_VERSION=4.32.5
SCHEMATHESIS_HOME=$DERMAKE_CACHE/tools/schemathesis-$SCHEMATHESIS_VERSION

schemathesis_ready() { "$SCHEMATHESIS_HOME/bin/st" --version >/dev/null 2>&1; }
install_schemathesis() {
  say "schemathesis $SCHEMATHESIS_VERSION: fetching it from PyPI"
  python3 -m venv --clear "$SCHEMATHESIS_HOME" &&
    "$SCHEMATHESIS_HOME/bin/python" -m pip install --quiet --disable-pip-version-check \
      "schemathesis==$SCHEMATHESIS_VERSION" >&2
}

# find_schemathesis: false, with the reason in `missing`, where there is no Python that can have it.
find_schemathesis() {
  if schemathesis_ready; then return; fi
  if ! python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    missing="it needs Python 3.11 with venv and pip"
  elif ! (once schemathesis_ready install_schemathesis); then
    missing="schemathesis $SCHEMATHESIS_VERSION could not be installed from PyPI"
  else
    return 0
  fi
  return 1
}
