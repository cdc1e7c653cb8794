#!/usr/bin/env bash
# test_llm.sh DERMAKE [CAPTIONS]: serves a small language model and lets `dermake prepare` read the first captions of the
# example with it. Prints how many answers could be used, the time, and precision and recall beside the lexicon's.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/llm.sh"
source "$here/background_server.sh"

dermake=$(realpath "$1")
n_captions=${2:-50}
find_llm || fail "the test with a language model: $missing"

make_work

serve "$LLM_HOME/bin/python" "$here/llm_server.py" "$(llm_model)"

python=$LLM_HOME/bin/python
"$python" "$here/llm_figures.py" captions "$n_captions" >"$work/captions.csv"
"$dermake" prepare "$work/captions.csv" --out "$work/lexicon/train.csv" >/dev/null
started=$(date +%s)
"$dermake" prepare "$work/captions.csv" --endpoint "$url/v1" --model smollm2-135m --parallel 2 --timeout 900 \
  --out "$work/model/train.csv"
"$python" "$here/llm_figures.py" figures "$n_captions" $(($(date +%s) - started)) "$work/model" "$work/lexicon"
