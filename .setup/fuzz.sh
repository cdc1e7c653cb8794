# shellcheck shell=bash
# Installs cargo-fuzz, which builds and runs the targets of native-trainer/fuzz. Source it after env.sh, step.sh and
# cargo_install.sh.

CARGO_FUZZ_VERSION=0.13.2
CARGO_FUZZ_HOME=$DERMAKE_CACHE/tools/cargo-fuzz-$CARGO_FUZZ_VERSION
export PATH=$CARGO_FUZZ_HOME/bin:$PATH

cargo_fuzz_ready() { [[ "$(cargo-fuzz --version 2>/dev/null)" == *" $CARGO_FUZZ_VERSION"* ]]; }
install_cargo_fuzz() {
  say "cargo-fuzz $CARGO_FUZZ_VERSION: building it, a minute"
  cargo_install "$CARGO_FUZZ_HOME" "cargo-fuzz@$CARGO_FUZZ_VERSION" --locked
}

# find_cargo_fuzz: fails, with the reason in `missing`, if this machine cannot fuzz.
find_cargo_fuzz() {
  if [[ "$(uname -sm)" != "Linux x86_64" ]]; then
    missing="it needs Linux on x86-64"
  elif [ -z "$(first_found "${CXX:-}" c++ g++ clang++)" ]; then
    missing="libFuzzer needs a C++ compiler: apt-get install g++"
  elif ! (once cargo_fuzz_ready install_cargo_fuzz); then
    missing="cargo-fuzz $CARGO_FUZZ_VERSION could not be installed from crates.io"
  else
    return 0
  fi
  return 1
}
