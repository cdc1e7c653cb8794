# shellcheck shell=bash
# Functions for a step of the set-up: print, fail, run once. Source it after env.sh.

say() { printf '==> %s\n' "$*" >&2; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# cannot_test WHAT: ends the script, because a test cannot run here for the reason in `missing`. It fails, so that nobody takes
# this for a test that passed; with DERMAKE_ALLOW_SKIPS=1 it only says so.
# shellcheck disable=SC2154 # the script that calls this has set `missing`
cannot_test() {
  [ "${DERMAKE_ALLOW_SKIPS:-}" = 1 ] || fail "not run: $1; $missing (DERMAKE_ALLOW_SKIPS=1 goes on without it)"
  say "skipped: $1; $missing"
  exit 0
}

# once READY INSTALL: runs INSTALL, with a lock held, unless READY succeeds; then checks READY again. READY runs before the
# lock is taken, so that a set-up with nothing to do never waits.
once() {
  local ready=$1 install=$2
  if "$ready"; then return; fi
  mkdir -p "$DERMAKE_CACHE"
  exec 9>"$DERMAKE_CACHE/setup.lock"
  if command -v flock >/dev/null && ! flock --nonblock 9; then
    say "waiting for another set-up to finish"
    flock 9
  fi
  if ! "$ready"; then "$install" 9>&-; fi # closed for its child processes: a daemon must not keep the lock
  exec 9>&-
  "$ready" || fail "$install ran, but its result is not usable; see 'just doctor'"
}

can_apt() { command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; }
# Runs apt-get as root, and prints its output only if it fails.
apt_get() {
  local log=$DERMAKE_CACHE/apt.log as_root=()
  mkdir -p "$DERMAKE_CACHE"
  if [ "$(id -u)" != 0 ]; then as_root=(sudo -n); fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -o DPkg::Lock::Timeout=300 "$@" </dev/null >"$log" 2>&1 || { cat "$log" >&2 && fail "apt-get $* failed"; }
}

# apt_install PACKAGE...: updates the package list, which may be days old, and installs.
apt_install() {
  can_apt || fail "please install these packages, then run this again: $*"
  apt_get update
  apt_get install -y --no-install-recommends "$@"
}
