#!/usr/bin/env bash
# Compiles the kernels for each GPU architecture and prints the registers that each uses. Fails if a kernel spills, uses
# more registers than registers.txt says, or is missing from it. No GPU is needed. `check.sh --write` writes
# registers.txt anew.
# shellcheck source-path=SCRIPTDIR/../../../../.setup
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
setup=$here/../../../../.setup
source "$setup/env.sh"
source "$setup/step.sh"
source "$setup/cuda.sh"

architectures=(80 90)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# usage FILE: "kernel registers bytes-spilled" for each kernel in the compiler's report.
usage() {
  awk '
    /Compiling entry function/ { split($0, quoted, "\047"); kernel = quoted[2] }
    /bytes spill stores/ { match($0, /[0-9]+ bytes spill stores/); stores = substr($0, RSTART) + 0
                           match($0, /[0-9]+ bytes spill loads/); loads = substr($0, RSTART) + 0 }
    /Used [0-9]+ registers/ { match($0, /Used [0-9]+/); print kernel, substr($0, RSTART + 5) + 0, stores + loads }
  ' "$1" | LC_ALL=C sort
}

for architecture in "${architectures[@]}"; do
  report=$work/$architecture
  say "compiling for sm_$architecture"
  "$NVCC" -std=c++17 -O3 -arch="sm_$architecture" -cubin -Xptxas -v -o "$work/kernels.cubin" "$here/kernels.cu" \
    >"$report.log" 2>&1 || { cat "$report.log" >&2 && fail "kernels.cu does not compile for sm_$architecture"; }
  grep -A3 'warning' "$report.log" >&2 && fail "the compiler warns, for sm_$architecture"
  usage "$report.log" >"$report.usage"
  awk -v sm="sm_$architecture" '
    $3 > 0 { print "error: " $1 " spills " $3 " bytes, for " sm; bad = 1 }
    END { exit bad }
  ' "$report.usage" >&2 || fail "registers are spilled to memory"
done

heading="# Registers a thread, with nvcc $("$NVCC" --version | sed -n 's/.*release \([0-9.]*\),.*/\1/p')"
table=$work/table
{
  echo "kernel sm_80 sm_90"
  LC_ALL=C join -o 0,1.2,2.2 "$work/80.usage" "$work/90.usage"
} >"$table"
column -t "$table"

if [ "${1:-}" = --write ]; then
  { echo "$heading" && column -t "$table"; } >"$here/registers.txt"
  exit
fi
if [ "$(head -n1 "$here/registers.txt")" != "$heading" ]; then
  say "registers.txt is of another version of nvcc: only spills and warnings were checked"
  exit
fi
awk '
  $1 == "#" || $1 == "kernel" { next }
  FNR == NR { most80[$1] = $2; most90[$1] = $3; next }
  !($1 in most80) { print "error: " $1 " is not in registers.txt"; bad = 1; next }
  $2 > most80[$1] { print "error: " $1 " uses " $2 " registers for sm_80, and may use " most80[$1]; bad = 1 }
  $3 > most90[$1] { print "error: " $1 " uses " $3 " registers for sm_90, and may use " most90[$1]; bad = 1 }
  { seen[$1] = 1 }
  END {
    for (kernel in most80) {
      if (!(kernel in seen)) { print "error: " kernel " is in registers.txt, but is no kernel"; bad = 1 }
    }
    exit bad
  }
' "$here/registers.txt" "$table" >&2 || fail "see above; 'check.sh --write' accepts the new numbers"
