# `./justw RECIPE` is `just RECIPE`, and brings just where it is not installed.

set shell := ["bash", "-euo", "pipefail", "-c"]

export CARGO_TARGET_DIR := absolute_path(env_var_or_default("CARGO_TARGET_DIR", "target"))
export DERMAKE_BIN := CARGO_TARGET_DIR / "release/dermake"
export DERMAKE_APP := justfile_directory() / "web/dist"

# List the recipes
default:
    @{{just_executable()}} --justfile {{justfile()}} --list --unsorted

# Set up everything the other recipes need; nothing to do the second time
setup: _rust-wasm _tools _browser _node

# Say what is there and what is missing
doctor:
    @.setup/doctor.sh

# Build the program and the page
build: web
    cargo build --release --locked -p native-trainer

# Build the page into web/dist
web: _rust-wasm _tools
    source .setup/env.sh; use_wasm_toolchain; cd web; trunk build --release --locked

# Serve the page with the demo model, or `just demo MODEL=hf-hub:owner/name`, a folder or a file
demo MODEL="": build
    #!/usr/bin/env bash
    set -euo pipefail
    served=$(.setup/demo_model.sh "$DERMAKE_BIN" {{quote(MODEL)}})
    exec "$DERMAKE_BIN" serve --app "$DERMAKE_APP" --models "$served"

# Set up everything and run every test
test: setup test-native test-wasm web _e2e # not test-e2e: test-native has built the program, with the tests' features

# Test every crate on this machine
test-native:
    cargo test --release --locked --workspace

# Test the model's parity with the reference in Chromium
test-wasm: _rust-wasm _tools _browser
    source .setup/env.sh; use_wasm_toolchain; export WASM_BINDGEN_TEST_TIMEOUT=900; \
      cargo test --release --locked -p shared-model --target "$WASM_TARGET" --test parity --test pictures

# Test the page as a visitor uses it, in Chromium
test-e2e: build _browser _node _e2e

# Measure training beside the reference's arithmetic in PyTorch, and say what this machine cannot run
bench-train *OPTIONS:
    @.setup/bench_train.sh {{OPTIONS}}

# Check formatting and lints, for this machine, for wasm and for the browser tests
lint: _rust-wasm _node
    cargo fmt --all --check
    cargo clippy --locked --workspace --all-targets -- -D warnings
    source .setup/env.sh; use_wasm_toolchain; \
      cargo clippy --locked -p shared-model -p web --all-targets --target "$WASM_TARGET" -- -D warnings
    cd e2e; npx tsc

_e2e:
    source .setup/env.sh; cd e2e; npx playwright test

_rust-wasm:
    @.setup/rust_wasm.sh

_tools:
    @.setup/tools.sh

_browser:
    @.setup/browser.sh

_node:
    @.setup/node.sh
