# shellcheck shell=bash
# Installs schemathesis, which tests the server against its OpenAPI document. Source it after env.sh and step.sh.

SCHEMATHESIS_VERSION=4.32.5
SCHEMATHESIS_HOME=$DERMAKE_CACHE/tools/schemathesis-$SCHEMATHESIS_VERSION

schemathesis_ready() { "$SCHEMATHESIS_HOME/bin/st" --version >/dev/null 2>&1; }
install_schemathesis() {
  say "schemathesis $SCHEMATHESIS_VERSION: installing it from PyPI"
  python3 -m venv --clear "$SCHEMATHESIS_HOME" &&
    "$SCHEMATHESIS_HOME/bin/python" -m pip install --quiet --disable-pip-version-check \
      "schemathesis==$SCHEMATHESIS_VERSION" >&2
}

# shellcheck disable=SC2034 # the script that sources this reads `missing`
# find_schemathesis: fails, with the reason in `missing`, if this machine's Python cannot run it.
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
