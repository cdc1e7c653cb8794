# shellcheck shell=bash
# Python with PyTorch, open_clip, onnxruntime and FastAPI, the others' side of the benches: one environment for all of them.
# Sourced, after env.sh and step.sh, by a script that gathers a bench's `arguments`. DERMAKE_BENCH_PYTHON names a Python
# that has what the bench needs.

TORCH_VENV=$DERMAKE_CACHE/bench-python

# can_import PYTHON MODULE...
can_import() {
  local python=$1 IFS=,
  shift
  "$python" -c "import $*" >/dev/null 2>&1
}
venv_ready() { can_import "$TORCH_VENV/bin/python" torch safetensors.torch open_clip onnx onnxruntime onnxscript fastapi uvicorn; }
install_venv() {
  say "PyTorch, open_clip, onnxruntime and FastAPI for the others' side: fetching them from PyPI, some 6 GB on disk"
  # What an earlier version of this file installed is added to.
  "$TORCH_VENV/bin/python" -c "" >/dev/null 2>&1 || python3 -m venv --clear "$TORCH_VENV" &&
    "$TORCH_VENV/bin/python" -m pip install --quiet --disable-pip-version-check \
      torch torchvision open_clip_torch pillow safetensors numpy onnx onnxruntime onnxscript fastapi 'uvicorn[standard]' >&2
}

# find_reference MODULE...: sets `reference` to a Python that has these; false where there is none.
find_reference() {
  reference=${DERMAKE_BENCH_PYTHON:-$TORCH_VENV/bin/python}
  if [ -n "${DERMAKE_BENCH_PYTHON:-}" ]; then
    can_import "$reference" "$@" || fail "this Python cannot import all of $*: $reference"
  else
    (once venv_ready install_venv)
  fi
}
NO_REFERENCE="PyTorch, open_clip, onnxruntime and FastAPI could not be installed into $TORCH_VENV"

# add_reference MODULE...: adds to the bench's arguments the Python that has these, or why there is none.
add_reference() {
  if find_reference "$@"; then
    arguments+=(--reference "$reference")
  else
    arguments+=(--not-run "the reference's side: $NO_REFERENCE")
  fi
}
