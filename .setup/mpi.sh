#!/usr/bin/env bash
# Installs OpenMPI, and the libclang that reads its headers for the crate `mpi`, with apt, unless the system has them.
# Another MPI than apt's, and libclang in another place, are taken as they are.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"

has_mpi() { command -v mpirun >/dev/null && command -v mpicc >/dev/null; }

# libclang.so comes with clang's own headers, which are needed, too; libclang-cpp.so and libclang-14.so.1 do not.
has_libclang() {
  [ -z "${LIBCLANG_PATH:-}" ] || return 0
  local folder
  for folder in /usr/lib/llvm-*/lib /usr/lib64 /usr/lib64/llvm*/lib /usr/lib /usr/lib/*-linux-gnu /usr/local/lib \
    "$(llvm-config --libdir 2>/dev/null || true)"; do
    if [ -e "$folder/libclang.so" ] || [ -e "$folder/libclang.dylib" ]; then return 0; fi
  done
  return 1
}

mpi_ready() { has_mpi && has_libclang; }
# Only what is missing: a machine without apt may have the rest.
install_mpi() {
  local missing=()
  has_mpi || missing+=(libopenmpi-dev openmpi-bin)
  has_libclang || missing+=(libclang-dev)
  say "OpenMPI and libclang: installing ${missing[*]} with apt"
  apt_install "${missing[@]}"
}

once mpi_ready install_mpi
