# shellcheck shell=bash
# Finds a CUDA toolkit to build with, or assembles one from NVIDIA's packages on PyPI. Needs no GPU. Source it after env.sh
# and step.sh. Sets CUDA_HOME, CUDA_LIB and the variables that cargo, nvcc and the linker read.

CUDA_VERSION=13.0 # of the packages; an installed toolkit may have any version that candle's cudarc supports
CUDA_PACKAGES=$DERMAKE_CACHE/cuda-$CUDA_VERSION
CUDA_PARTS=(libcuda libcudart libcublas libcublasLt libcurand libnvrtc) # what the program is linked with

# cuda_library NAME FOLDER: prints the folder of this toolkit that has the library NAME. Toolkits differ in their layout.
cuda_library() {
  local name=$1 folder
  for folder in "$2"/{lib64,lib,lib/x86_64-linux-gnu,targets/x86_64-linux/lib}{,/stubs}; do
    if [ -e "$folder/$name.so" ]; then echo "$folder" && return; fi
  done
  false
}
# has_toolkit FOLDER: succeeds if the folder has nvcc and every library. Some container images have nvcc only.
has_toolkit() {
  local part
  [ -x "$1/bin/nvcc" ] || return
  for part in "${CUDA_PARTS[@]}"; do
    cuda_library "$part" "$1" >/dev/null || return
  done
}

own_toolkit() {
  local nvcc folder
  nvcc=$(command -v nvcc || true)
  for folder in "${CUDA_HOME:-}" "${CUDA_PATH:-}" "${nvcc:+$(dirname "$(dirname "$(readlink -f "$nvcc")")")}" \
    /usr/local/cuda /opt/cuda; do
    if [ -n "$folder" ] && has_toolkit "$folder"; then echo "$folder" && return; fi
  done
  false
}

packages_ready() { has_toolkit "$CUDA_PACKAGES/nvidia/cu13"; }
install_packages() {
  local library partial=$CUDA_PACKAGES.partial
  local home=$partial/nvidia/cu13
  python3 -m pip --version >/dev/null 2>&1 ||
    fail "please install a CUDA toolkit, or Python 3 with pip, then run this again"
  say "CUDA $CUDA_VERSION: downloading it from PyPI, 1.2 GB on disk"
  rm -rf "$partial" "$CUDA_PACKAGES"
  PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --only-binary :all: \
    --target "$partial" "cuda-toolkit[nvcc,cudart,cccl,crt,nvvm,cublas,curand,nvrtc]==$CUDA_VERSION.*" >&2

  # The packages are made to run programs. Add the names that a linker looks for.
  ln -s lib "$home/lib64"
  for library in "$home"/lib/lib*.so.*; do
    ln -sf "${library##*/}" "${library%.so.*}.so"
  done
  stub_driver "$home"
  mv "$partial" "$CUDA_PACKAGES"
}
# stub_driver FOLDER: builds a libcuda.so that has all names of the driver's library, to link with. The real library comes
# with the driver, and the loader uses that one when the program runs.
stub_driver() {
  mkdir -p "$1/lib/stubs"
  grep -oE '\bcu[A-Z][A-Za-z0-9]*(_v[0-9]+)?\b' "$1/include/cuda.h" | LC_ALL=C sort -u | sed 's/.*/void &(void) {}/' |
    cc -shared -fPIC -nostdlib -w -Wl,-soname,libcuda.so.1 -o "$1/lib/stubs/libcuda.so" -x c -
}

# gpu FIELD: prints a field of nvidia-smi for the first GPU, or nothing.
gpu() { nvidia-smi --query-gpu="$1" --format=csv,noheader 2>/dev/null | head -n1 || true; }

if ! CUDA_HOME=$(own_toolkit); then
  once packages_ready install_packages
  CUDA_HOME=$CUDA_PACKAGES/nvidia/cu13
  driver=$(gpu driver_version)
  if [[ "${driver%%.*}" =~ ^[0-9]+$ ]] && [ "${driver%%.*}" -lt 580 ]; then
    say "this machine's driver is $driver, but CUDA $CUDA_VERSION needs 580 or newer:" \
      "update the driver, or install an older toolkit and set CUDA_HOME"
  fi
fi
CUDA_LIB=$(cuda_library libcublas "$CUDA_HOME")
say "CUDA toolkit: $CUDA_HOME"
export CUDA_HOME CUDA_PATH=$CUDA_HOME NVCC=$CUDA_HOME/bin/nvcc PATH=$CUDA_HOME/bin:$PATH
LIBRARY_PATH=$CUDA_LIB:$(cuda_library libcuda "$CUDA_HOME")${LIBRARY_PATH:+:$LIBRARY_PATH}
export LIBRARY_PATH

# The GPU's compute capability: 80 is an A100, 89 an RTX 4090, 90 an H100 or H200.
if [ -z "${CUDA_COMPUTE_CAP:-}" ]; then
  CUDA_COMPUTE_CAP=$(gpu compute_cap | tr -d .)
  CUDA_COMPUTE_CAP=${CUDA_COMPUTE_CAP:-90}
fi
export CUDA_COMPUTE_CAP CUDAFORGE_THREADS=${CUDAFORGE_THREADS:-$(nproc)}

# The program looks for the toolkit's libraries where they were when it was built. This variable replaces RUSTFLAGS and may
# contain spaces.
separator=$'\x1f'
given_flags=${CARGO_ENCODED_RUSTFLAGS:-${RUSTFLAGS:+${RUSTFLAGS// /$separator}}}
export CARGO_ENCODED_RUSTFLAGS=${given_flags:+$given_flags$separator}-Clink-arg=-Wl,-rpath,$CUDA_LIB

# light_toolkit FOLDER: makes a toolkit there with the headers of this one and an nvcc that skips candle's kernels, and
# builds with it from here on. Its libraries are those that the caller puts into FOLDER/lib64.
light_toolkit() {
  mkdir -p "$1/bin" "$1/lib64"
  ln -sfn "$CUDA_HOME/include" "$1/include"
  ln -sf "$DERMAKE_ROOT/.setup/nvcc_of_our_kernels.sh" "$1/bin/nvcc"
  export DERMAKE_NVCC=$NVCC NVCC=$1/bin/nvcc CUDA_HOME=$1 CUDA_PATH=$1 PATH=$1/bin:$PATH LIBRARY_PATH=$1/lib64
}
