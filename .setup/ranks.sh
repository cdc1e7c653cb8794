#!/usr/bin/env bash
# ranks.sh N COMMAND...: runs COMMAND as N ranks on this machine, as torchrun does, and ends when all have ended.
set -euo pipefail

size=$1
shift
[[ $size =~ ^[1-9][0-9]*$ ]] || { echo "error: the number of ranks is ${size@Q}, expected 1 or more" >&2; exit 2; }
export WORLD_SIZE=$size LOCAL_WORLD_SIZE=$size MASTER_ADDR=127.0.0.1 MASTER_PORT=${MASTER_PORT:-29500}
export TORCHELASTIC_RUN_ID=${TORCHELASTIC_RUN_ID:-$$} # ranks of another call of this script are refused
# Without job control, background processes ignore Ctrl-C. With it, only this script gets it, and passes it on.
set -m
pids=()
for signal in INT TERM HUP USR1; do
  # shellcheck disable=SC2064 # the signal's name is expanded now
  trap "kill -$signal \"\${pids[@]}\" 2>/dev/null || true" "$signal"
done
for ((rank = 0; rank < size; rank++)); do
  RANK=$rank LOCAL_RANK=$rank "$@" &
  pids+=($!)
done
code=0
for pid in "${pids[@]}"; do
  # A signal ends `wait` early: wait again until the process has ended.
  while :; do
    ended=0
    wait "$pid" || ended=$?
    if ! kill -0 "$pid" 2>/dev/null; then break; fi
  done
  if [ "$ended" -gt "$code" ]; then code=$ended; fi
done
exit "$code"
