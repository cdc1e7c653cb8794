#!/usr/bin/env bash
# Unpacks Debian's rustc-web, builds its standard library for wasm32, and links it as a toolchain of rustup. rust_wasm.sh
# runs this if rustup cannot download the target. It is unpacked and not installed, since Debian's package conflicts with
# rustup; and rustup's compilers cannot build Debian's sources.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"

final=$DERMAKE_CACHE/rustc-web
partial=$final.partial
toolchain=$partial/usr
host=$(rustc --version --verbose | awk '/^host:/ { print $2 }')

if ! command -v rustup >/dev/null || ! can_apt; then
  fail "please install Rust's standard library for $WASM_TARGET ('rustup target add $WASM_TARGET'), then run this again"
fi
apt_get update
version=$(apt-cache policy rustc-web | awk '/Candidate:/ { print $2 }')
[[ "$version" == [0-9]* ]] ||
  fail "neither rustup nor Debian has Rust for $WASM_TARGET here; see $DERMAKE_CACHE/rustup.log"
std=libstd-rust-web-$(cut -d. -f1,2 <<<"$version")
llvm=$(apt-cache depends "$std" | sed -n 's/.*Depends: libllvm//p' | head -n1)
apt_install "libllvm$llvm" "lld-$llvm"

# Unpack. Of the sources, only the standard library's are needed: 69 MB of 434.
rm -rf "$partial"
mkdir -p "$partial/deb"
(cd "$partial/deb" && apt-get download -qq -o APT::Sandbox::User=root \
  rust{c-web,-web-clippy,-web-src}="$version" "libstd-rust-web-dev=$version" "$std=$version" >&2)
for package in rustc-web rust-web-clippy libstd-rust-web-dev "$std"; do
  dpkg -x "$partial/deb/${package}"_*.deb "$partial"
done
dpkg --fsys-tarfile "$partial"/deb/rust-web-src_*.deb |
  tar -x -C "$partial" --wildcards './usr/src/*/library' './usr/lib/rustlib/src/*'
rm -rf "$partial/deb" "$toolchain/share"

# rustup runs a toolchain with its lib/ as library path, but Debian's driver is one level down. rustc looks for its linker
# below rustlib/. Without a cargo in bin/, rustup would use another toolchain's.
(cd "$toolchain/lib" && ln -sf ./*-linux-gnu/librustc_driver-*.so .)
mkdir -p "$toolchain/lib/rustlib/$host/bin"
ln -sf "/usr/bin/lld-$llvm" "$toolchain/lib/rustlib/$host/bin/rust-lld"
ln -sf "$(rustup which cargo)" "$toolchain/bin/cargo"

# Build the standard library into the sysroot, so that later builds need no unstable flag.
mkdir -p "$partial/build/src"
cd "$partial/build"
printf '[package]\nname = "sysroot"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >Cargo.toml
echo '#![no_std]' >src/lib.rs
source_dir=$(readlink -f "$toolchain/lib/rustlib/src/rust")
RUSTUP_TOOLCHAIN=$toolchain RUSTC_BOOTSTRAP=1 \
  RUSTFLAGS="-Cembed-bitcode=yes --remap-path-prefix=$source_dir=/rustc/$version" \
  cargo build --quiet --release --target "$WASM_TARGET" --target-dir target -Zbuild-std=std,panic_abort,proc_macro,test
sysroot=$toolchain/lib/rustlib/$WASM_TARGET/lib
mkdir -p "$sysroot"
cp "target/$WASM_TARGET/release/deps/"*.rlib "$sysroot/"
rm -f "$sysroot"/libsysroot-*.rlib

cd /
rm -rf "$partial/build" "$final"
mv "$partial" "$final"
rustup toolchain link "$LINKED_TOOLCHAIN" "$final/usr"
touch "$final/complete"
