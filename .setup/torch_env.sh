# shellcheck shell=bash
# Installs one Python environment with PyTorch, open_clip, transformers, onnxruntime and FastAPI, which the benches compare
# with. Source it after env.sh and step.sh, in a script that has a bench's `arguments`. DERMAKE_BENCH_PYTHON names another
# Python.

TORCH_VENV=$DERMAKE_CACHE/bench-python

# can_import PYTHON MODULE...: succeeds if this Python has all modules.
can_import() {
  local python=$1 IFS=,
  shift
  "$python" -c "import $*" >/dev/null 2>&1
}
venv_ready() {
  can_import "$TORCH_VENV/bin/python" torch safetensors.torch open_clip transformers sentencepiece google.protobuf onnx \
    onnxruntime onnxscript fastapi uvicorn
}
install_venv() {
  say "PyTorch, open_clip, transformers, onnxruntime and FastAPI, to compare with: installing them from PyPI, 6 GB on disk"
  # Keeps an environment that an earlier version of this script made, and adds what it lacks.
  "$TORCH_VENV/bin/python" -c "" >/dev/null 2>&1 || python3 -m venv --clear "$TORCH_VENV" &&
    "$TORCH_VENV/bin/python" -m pip install --quiet --disable-pip-version-check \
      torch torchvision open_clip_torch transformers sentencepiece protobuf pillow safetensors numpy onnx onnxruntime \
      onnxscript fastapi 'uvicorn[standard]' >&2
}

# find_reference MODULE...: sets `reference` to a Python that has these modules; fails if there is none.
find_reference() {
  reference=${DERMAKE_BENCH_PYTHON:-$TORCH_VENV/bin/python}
  if [ -n "${DERMAKE_BENCH_PYTHON:-}" ]; then
    can_import "$reference" "$@" || fail "this Python cannot import all of $*: $reference"
  else
    (once venv_ready install_venv)
  fi
}
NO_REFERENCE="PyTorch, open_clip, transformers, onnxruntime and FastAPI could not be installed into $TORCH_VENV"

# add_reference MODULE...: adds to `arguments` the Python that has these modules, or why there is none.
add_reference() {
  if find_reference "$@"; then
    arguments+=(--reference "$reference")
  else
    arguments+=(--not-run "the reference: $NO_REFERENCE")
  fi
}
