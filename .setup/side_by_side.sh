# shellcheck shell=bash
# Runs two builds at the same time: each has crates for which all others wait. Source it.

# side_by_side BUILD BUILD: runs two functions or programs. One that fails ends the other, and the script with its status.
side_by_side() {
  local first second waiting running builds build
  set -m # gives each build a process group of its own, to be ended as a whole
  "$1" &
  first=$!
  "$2" &
  second=$!
  # shellcheck disable=SC2064 # the variables are gone when the script ends
  trap "kill -- -$first -$second 2>/dev/null || true" EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  # Each is waited for once: the shell forgets those that were.
  waiting="$first $second"
  while [ -n "$waiting" ]; do
    sleep 1
    running=$(jobs -pr) builds=$waiting waiting=
    for build in $builds; do
      if grep -qx "$build" <<<"$running"; then waiting="$waiting $build"; else wait "$build"; fi
    done
  done
  trap - EXIT INT TERM HUP
  set +m
}
