# shellcheck shell=bash
# Installs packages from PyPI into Python environments of their own. Source it after env.sh and step.sh.

# has_venv MINOR: succeeds if Python is 3.MINOR or newer and can make environments. Debian has a package for the latter,
# which is installed if possible.
has_venv() {
  python3 -c "import sys; sys.exit(sys.version_info < (3, $1))" 2>/dev/null || return
  if python3 -c 'import venv, ensurepip' 2>/dev/null; then return; fi
  can_apt || return
  say "Python's venv: installing it with apt"
  (apt_install python3-venv) && python3 -c 'import venv, ensurepip' 2>/dev/null
}

# find_venv MINOR READY INSTALL PACKAGES: succeeds once READY does, after INSTALL if need be; else fails, with the reason in
# `missing`: Python is older than 3.MINOR or has no venv, or PACKAGES could not be installed.
find_venv() {
  local minor=$1 ready=$2 install=$3 packages=$4
  if "$ready"; then return; fi
  if ! has_venv "$minor"; then
    missing="it needs Python 3.$minor or newer with venv and pip"
  elif ! (once "$ready" "$install"); then
    # shellcheck disable=SC2034 # the script that sources this reads `missing`
    missing="$packages could not be installed from PyPI"
  else
    return 0
  fi
  return 1
}

# make_venv HOME PACKAGE...: makes the environment HOME anew, with these packages.
make_venv() {
  local home=$1
  shift
  python3 -m venv --clear "$home" &&
    "$home/bin/python" -m pip install --quiet --disable-pip-version-check "$@" >&2
}
