# shellcheck shell=bash
# Starts a server for a test and ends it with the script. Source it after env.sh and step.sh.

# make_work: makes the empty folder `work`, which the script's end removes together with the server.
make_work() {
  work=$(mktemp -d)
  server=
  trap end_work EXIT
}
end_work() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null && wait "$server" || true; fi
  rm -rf "$work"
}

# serve COMMAND...: starts the server, with its log in $work/log, and sets `url` to the first line that it prints.
serve() {
  mkfifo "$work/address"
  "$@" >"$work/address" 2>"$work/log" &
  server=$!
  # shellcheck disable=SC2034 # the script that sources this reads `url`
  read -r url <"$work/address" || { cat "$work/log" >&2 && fail "it did not start: $*"; }
}
