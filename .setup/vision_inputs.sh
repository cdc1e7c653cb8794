# shellcheck shell=bash
# Makes the inputs of the benches of the vision tower: one random ViT-B/16 with normally distributed weights, as trained
# ones are, quantized by dermake and exported to ONNX. Source it after env.sh and step.sh.

VISION=$DERMAKE_ROOT/target/bench/bell-shaped # checkpoint/, ours/FORMAT/ and onnx/, which has the photos too

# make_vision_inputs DERMAKE PYTHON: writes them into $VISION.
make_vision_inputs() {
  local dermake=$1 python=$2
  mkdir -p "$VISION"
  if [ ! -e "$VISION/checkpoint" ]; then
    rm -rf "$VISION/fresh"
    "$dermake" init --arch ViT-B-16 --seed 0 --out "$VISION/fresh" >/dev/null
    "$python" -B "$DERMAKE_ROOT/native-trainer/benches/bell_shaped.py" "$VISION/fresh/open_clip_model.safetensors"
    mv "$VISION/fresh" "$VISION/checkpoint"
  fi
  say "random ViT-B/16: quantizing it, and exporting it to ONNX; a minute or two"
  rm -rf "$VISION/ours" # every time, since its layout changes with the code
  "$dermake" quantize --model "$VISION/checkpoint" --format int8 --out "$VISION/ours/int8" >/dev/null
  "$python" -B "$DERMAKE_ROOT/native-trainer/benches/export.py" --model "$VISION/checkpoint" \
    --photo "$DERMAKE_ROOT/shared-model/data/samples/sample-2.jpg" --out "$VISION/onnx" >/dev/null
}
