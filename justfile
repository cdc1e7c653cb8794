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

# Pretrain: `just train` is a smoke run of two minutes on drawn pictures; `just train RECIPE DATA` is any other
train RECIPE="smoke" DATA="": _program
    #!/usr/bin/env bash
    set -euo pipefail
    recipe={{quote(RECIPE)}} data={{quote(DATA)}}
    case $recipe in # what the recipe was made for
      synth-demo*) set -- --images 8000 --seed 1 --image-size 112 ;;
      *) set -- --images 1000 --seed 1 --image-size 112 ;;
    esac
    if [ -z "$data" ]; then
      data=data/synth-$2
      if [ ! -e "$data" ]; then "$DERMAKE_BIN" synth "$@" --out "$data"; fi
    fi
    name=${recipe##*/}
    exec "$DERMAKE_BIN" train "$recipe" --data "$data" --out "runs/${name%.toml}"

# Evaluate: `just eval` is the demo model on drawn pictures; `just eval MODEL [DATA]` takes what the data folder has
eval MODEL="" DATA="": _program
    #!/usr/bin/env bash
    set -euo pipefail
    model={{quote(MODEL)}} data={{quote(DATA)}}
    if [ -z "$data" ]; then
      data=data
      if [ ! -e data/synth ]; then "$DERMAKE_BIN" synth --images 1000 --seed 2 --out data/synth; fi
    fi
    name=${model%/} name=${name##*[:/]}
    exec "$DERMAKE_BIN" eval --model "${model:-demo}" --data "$data" --out "runs/eval-${name:-demo}"

# Build the program with CUDA into target/cuda/release; brings the toolkit where there is none, and needs no GPU
build-cuda:
    .setup/build_cuda.sh

# Compile the CUDA kernels for sm_80 and sm_90, and fail where one spills or uses more registers; needs no GPU
check-cuda:
    native-trainer/kernels/check.sh

# Check the CUDA side of training without a GPU: gpu-check on an emulated driver; options such as --phases kernels
check-cuda-host *OPTIONS:
    @.setup/emulated_gpu.sh {{OPTIONS}}

# On a machine with a GPU: check that training on it is right, and how fast it is; no phase begins after six minutes
gpu-check *OPTIONS: build-cuda
    "$CARGO_TARGET_DIR/cuda/release/dermake" gpu-check {{OPTIONS}}

# Set up everything and run every test
test: setup test-native _api test-fuzz test-wasm web _smoke _e2e (_first-visits "firefox" "5") # not test-e2e or test-api: test-native has built the program, with the tests' features

# Test every crate on this machine
test-native:
    cargo test --release --locked --workspace

# Test the server against its own OpenAPI document, with schemathesis
test-api: _program _api

# Fuzz what reads strangers' bytes, some seconds a target, from the seeds on
test-fuzz:
    @.setup/run_fuzz.sh 10

# Fuzz one target for longer, as in `just fuzz pickle 600`; what was found to lead somewhere new is kept
fuzz TARGET SECS="600":
    @.setup/run_fuzz.sh {{quote(SECS)}} {{quote(TARGET)}}

# Test the model's parity with the reference in Chromium
test-wasm: _rust-wasm _tools _browser
    source .setup/env.sh; use_wasm_toolchain; export WASM_BINDGEN_TEST_TIMEOUT=900; \
      cargo test --release --locked -p shared-model --target "$WASM_TARGET" --lib --test parity --test pictures; \
      cargo test --release --locked -p shared-model --target "$WASM_TARGET" --features relaxed-simd --lib

# Test the page as a visitor uses it, in Chromium
test-e2e: build _browser _node _e2e

# Count first visits that hang, behind a proxy that delays: `just first-visits firefox 100`; chromium, webkit
first-visits BROWSER="firefox" COUNT="20": build (_first-visits BROWSER COUNT)

# Measure training beside the reference's arithmetic in PyTorch, and say what this machine cannot run
bench-train *OPTIONS:
    @.setup/bench_train.sh {{OPTIONS}}

# Measure the loader of training alone: samples a second by size of photo and number of threads
bench-loader *OPTIONS:
    cargo run --release --locked -p native-trainer --example bench_loader -- {{OPTIONS}}

# Measure evaluation beside open_clip: images a second on the same weights, pictures and cores
bench-eval *OPTIONS:
    @.setup/bench_eval.sh {{OPTIONS}}

# Measure the vision tower on this CPU beside onnxruntime and PyTorch: one photo, and batches
bench-native *OPTIONS:
    @.setup/bench_native.sh {{OPTIONS}}

# Measure the server under load beside FastAPI and open_clip: throughput, latencies, memory, and ten times too much
bench-serve *OPTIONS:
    @.setup/bench_serve.sh {{OPTIONS}}

# Measure the page beside onnxruntime-web in one Chromium: one photo at a time, in turn
bench-web *OPTIONS: build _browser
    @.setup/bench_web.sh bench {{OPTIONS}}

# Measure how long a first and a second visitor wait for an answer on 20 Mbit/s, beside onnxruntime-web
bench-first-answer *OPTIONS: build _browser
    @.setup/bench_web.sh first_answer {{OPTIONS}}

# Check formatting and lints, for this machine, for wasm and for the browser tests
lint: _rust-wasm _node
    cargo fmt --all --check
    cargo fmt --manifest-path native-trainer/fuzz/Cargo.toml --check
    cargo clippy --locked --workspace --all-targets -- -D warnings
    cargo clippy --locked --manifest-path native-trainer/fuzz/Cargo.toml -- -D warnings
    source .setup/env.sh; use_wasm_toolchain; \
      cargo clippy --locked -p shared-model -p web --all-targets --target "$WASM_TARGET" -- -D warnings; \
      cargo clippy --locked -p shared-model -p web --all-targets --target "$WASM_TARGET" --features relaxed-simd -- -D warnings
    cd e2e; npx tsc

_program:
    cargo build --release --locked -p native-trainer

# `just train` on its smoke recipe, whole; a new folder, or it would only find that it is finished.
_smoke:
    #!/usr/bin/env bash
    set -euo pipefail
    folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
    "$DERMAKE_BIN" synth --images 1000 --seed 1 --image-size 112 --out "$folder/data"
    "$DERMAKE_BIN" train smoke --data "$folder/data" --out "$folder/run"
    test -s "$folder/run/curves.svg" -a -s "$folder/run/checkpoints/best/open_clip_model.safetensors"

_api:
    .setup/test_api.sh "$DERMAKE_BIN"

_e2e:
    source .setup/env.sh; cd e2e; npx playwright test

_first-visits BROWSER COUNT:
    .setup/first_visits.sh "$DERMAKE_BIN" "$DERMAKE_APP" {{quote(BROWSER)}} {{quote(COUNT)}}

_rust-wasm:
    @.setup/rust_wasm.sh

_tools:
    @.setup/tools.sh

_browser:
    @.setup/browser.sh

_node:
    @.setup/node.sh
