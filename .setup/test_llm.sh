#!/usr/bin/env bash
# test_llm.sh [--gguf FILE] [--threads N] [OPTION...]: prints precision and recall of both readers of `dermake prepare` on
# captions that were labeled by hand. The model is the one behind `--endpoint URL --model NAME`; without them, llama.cpp
# serves FILE, or else a small model from PyPI, on N threads.
set -euo pipefail
here=$(realpath "$(dirname "$0")")
source "$here/env.sh"
source "$here/step.sh"
source "$here/llm.sh"
source "$here/background_server.sh"

gguf='' threads=1
options=()
while [ $# -gt 0 ]; do
  case $1 in
    --gguf) gguf=$(realpath "${2:?expected a file behind --gguf}") && shift 2 ;;
    --threads) threads=${2:?expected a number behind --threads} && shift 2 ;;
    *) options+=("$1") && shift ;;
  esac
done
set -- ${options[@]+"${options[@]}"}

cd "$DERMAKE_ROOT"
# With native-trainer, so that the crates below have the features of its build and are not built again.
cargo build --release --locked -p native-trainer -p dermake-prepare --example score_readers
score=${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}/release/examples/score_readers
case " $* " in
  *" --endpoint "* | *" --endpoint="*) exec "$score" "$@" ;;
esac

find_llm || fail "the test with a language model: $missing"
make_work
serve "$LLM_HOME/bin/python" "$here/llm_server.py" "${gguf:-$(llm_model)}" "$threads"
name=smollm2-135m
if [ -n "$gguf" ]; then name=$(basename "$gguf" .gguf); fi
"$score" --endpoint "$url/v1" --model "$name" --parallel 2 --timeout 900 "$@"
