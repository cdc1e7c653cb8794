# shellcheck shell=bash
# The C library that a program needs. Source it.

# glibc_of FILE: the newest version of glibc that a program or library needs.
glibc_of() { objdump -T "$1" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -V | tail -1; }
