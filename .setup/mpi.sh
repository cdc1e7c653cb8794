#!/usr/bin/env bash
# Installs OpenMPI, and the libclang that reads its headers for the crate `mpi`, with apt, unless the system has them.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"

# libclang.so comes with clang's own headers, which are needed, too; libclang-cpp.so and libclang-14.so.1 do not.
mpi_ready() {
  command -v mpirun >/dev/null && command -v mpicc >/dev/null &&
    { [ -n "${LIBCLANG_PATH:-}" ] || compgen -G '/usr/lib/llvm-*/lib/libclang.so' >/dev/null; }
}
install_mpi() {
  say "OpenMPI and libclang: installing them with apt"
  apt_install libopenmpi-dev openmpi-bin libclang-dev
}

once mpi_ready install_mpi
