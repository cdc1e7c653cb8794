# shellcheck shell=bash
# shellcheck disable=SC2154 # the script that sources this sets `program`
# What `dermake train` and others do on the emulated driver of emulated_gpu.sh: a run that is continued, a model that
# answers as on the CPU, a check that goes on after a kernel broke off, and what is said of a GPU that cannot be used.
# Source it.

: "${program:?the path of dermake}"
runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT

# refused SETTINGS WORDS ARGUMENT...: succeeds if dermake fails on such a GPU and says these words.
refused() {
  local settings=$1 words=$2 output
  shift 2
  if output=$(DERMAKE_EMULATED_GPU=$settings "$program" "$@" 2>&1); then
    fail "dermake $1 works on a GPU with $settings"
  fi
  grep -q -- "$words" <<<"$output" || fail "with $settings, expected '$words', found: $output"
  say "$settings: $(grep -m1 -- "$words" <<<"$output")"
}

check_refusals() {
  local check=(gpu-check --small --phases device --out "$runs/gpu.json" --device)
  refused no_device "finds no NVIDIA GPU" "${check[@]}" cuda
  refused driver_version=12020 "the driver is too old: it is for CUDA 12.2" "${check[@]}" cuda
  refused capability=75 "compute capability 8.0 or above" "${check[@]}" cuda
  refused capability=80 "built for GPUs of compute capability 9.0 alone" "${check[@]}" cuda
  refused capability=100 "built for GPUs of compute capability 9.0 alone" "${check[@]}" cuda
  refused "" "there is no GPU 3; this machine has 1" "${check[@]}" cuda:3
}

# A kernel that breaks off takes the GPU from its process, not from the phases behind it.
check_lost_gpu() {
  refused lost_after_steps=1 "inference: passed" \
    gpu-check --small --phases kernels,inference --out "$runs/lost.json" --device cuda
  grep -q '"name": "kernels"' "$runs/lost.json" || fail "a phase that lost the GPU is not in the report"
}

write_recipe() {
  cat >"$runs/recipe.toml" <<'RECIPE'
[model]
model_cfg = { embed_dim = 32, quick_gelu = true, vision_cfg = { image_size = 64, patch_size = 16, width = 64, layers = 2, head_width = 32 }, text_cfg = { width = 64, heads = 2, layers = 2 } }
[data]
train = "train.csv"
[objective]
variant = "paper"
[optimizer]
weight_decay = 0.1
[schedule]
learning_rate = 3e-4
warmup_steps = 2
[run]
epochs = 1
batch_size = 6
save_every_steps = 2
[run.micro_batches]
images = 4
tokens = 1000
RECIPE
}

checkpoint_hash() { sha256sum "$1"/checkpoints/last/* | cut -d' ' -f1 | sha256sum; }

check_runs() {
  local train=("$program" train "$runs/recipe.toml" --data "$runs/drawn" --device cuda --out) before
  write_recipe
  "$program" synth --images 40 --seed 1 --image-size 96 --out "$runs/drawn" >/dev/null
  "${train[@]}" "$runs/whole"

  # A NaN among the parameters in the third step, which updates two groups of them as each does: the loss of the next one
  # is NaN.
  refused nan_after_steps=5 "the last checkpoint is as it was" "${train[@]:1}" "$runs/continued"
  before=$(checkpoint_hash "$runs/continued")
  refused nan_after_steps=1 "the loss is NaN at step" "${train[@]:1}" "$runs/continued"
  [ "$(checkpoint_hash "$runs/continued")" = "$before" ] || fail "a run that failed has changed its checkpoint"
  "${train[@]}" "$runs/continued"
  cmp "$runs"/{whole,continued}/checkpoints/last/open_clip_model.safetensors || fail "a continued run has other bytes"

  # The first steps are skipped, until the loss scale is small enough.
  sed 's/^\[run\]$/&\nprecision = "f16"/; s/^epochs = 1$/epochs = 2/' "$runs/recipe.toml" >"$runs/half.toml"
  "$program" train "$runs/half.toml" --data "$runs/drawn" --device cuda --out "$runs/half"
  grep -q '"loss_scale":' "$runs/half/metrics.jsonl" || fail "a run in f16 has no loss scale"

  refused memory_mib=80 "set activation_memory_gib = " "${train[@]:1}" "$runs/full"

  local photo answers device
  photo=$(find "$runs/drawn" -type f \( -name '*.jpg' -o -name '*.png' \) -print -quit)
  for device in cpu cuda; do
    answers=("$program" classify "$photo" --model "$runs/whole/checkpoints/last" --labels "eczema,nevus,psoriasis,scar")
    "${answers[@]}" --device "$device" | grep logit | sed 's/\([0-9]\.[0-9]\)[0-9]*/\1/g' >"$runs/$device.txt"
  done
  diff "$runs/cpu.txt" "$runs/cuda.txt" >&2 || fail "a model answers otherwise on the GPU"
}

check_refusals
check_lost_gpu
check_runs
say "runs, refusals and answers are as expected"
