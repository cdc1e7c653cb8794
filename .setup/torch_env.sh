# shellcheck shell=bash
# Python with PyTorch and open_clip, the reference's side of the benches: one environment for all of them. Sourced,
# after env.sh and step.sh, by a script that gathers a bench's `arguments`. DERMAKE_BENCH_PYTHON names a Python that
# has what the bench needs.

TORCH_VENV=$DERMAKE_CACHE/bench-python

# can_import PYTHON MODULE...
can_import() {
  local python=$1 IFS=,
  shift
  "$python" -c "import $*" >/dev/null 2>&1
}
venv_ready() { can_import "$TORCH_VENV/bin/python" torch safetensors.torch open_clip; }
install_venv() {
  say "PyTorch and open_clip for the reference's side: fetching them from PyPI, some 6 GB on disk"
  rm -rf "$TORCH_VENV"
  python3 -m venv "$TORCH_VENV" &&
    "$TORCH_VENV/bin/python" -m pip install --quiet --disable-pip-version-check \
      torch torchvision open_clip_torch pillow safetensors numpy >&2
}

# add_reference MODULE...: adds to the bench's arguments the Python that has these, or why there is none.
add_reference() {
  if [ -n "${DERMAKE_BENCH_PYTHON:-}" ]; then
    can_import "$DERMAKE_BENCH_PYTHON" "$@" || fail "this Python cannot import all of $*: $DERMAKE_BENCH_PYTHON"
    arguments+=(--reference "$DERMAKE_BENCH_PYTHON")
  elif (once venv_ready install_venv); then
    arguments+=(--reference "$TORCH_VENV/bin/python")
  else
    arguments+=(--not-run "the reference's side: PyTorch and open_clip could not be installed into $TORCH_VENV")
  fi
}
