// onnxruntime-web as a careful developer uses it: the model is stored in Cache Storage, the session is created once, and
// the browser resizes the photo. The answer is the photo's features; scores of labels would take little more time.

import * as ort from './ort/ort.wasm.min.mjs';

const IMAGE_SIZE = 224;
const MEAN = [0.48145466, 0.4578275, 0.40821073];
const STD = [0.26862954, 0.26130258, 0.27577711];

ort.env.wasm.wasmPaths = new URL('ort/', import.meta.url).href;
ort.env.wasm.numThreads = navigator.hardwareConcurrency;
let session, stored;

async function load({ form }) {
  const model = await loadStored(`inputs/${form}.onnx`);
  return ort.InferenceSession.create(model, { executionProviders: ['wasm'], graphOptimizationLevel: 'all' });
}

// The clone is stored while the response is read.
async function loadStored(path) {
  const cache = await caches.open('models');
  const found = await cache.match(path);
  if (found) return found.arrayBuffer();
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  stored = cache.put(path, response.clone());
  return response.arrayBuffer();
}

async function answer(photo) {
  const { image_features: features } = await (await session).run({ pixel_values: await pixelValues(photo) });
  postMessage({ answer: features.data.length });
  await stored;
  postMessage({ stored: '' });
}

async function pixelValues(photo) {
  const bitmap = await createImageBitmap(photo, { resizeWidth: IMAGE_SIZE, resizeHeight: IMAGE_SIZE, resizeQuality: 'high' });
  const canvas = new OffscreenCanvas(IMAGE_SIZE, IMAGE_SIZE).getContext('2d');
  canvas.drawImage(bitmap, 0, 0);
  const { data } = canvas.getImageData(0, 0, IMAGE_SIZE, IMAGE_SIZE);
  const plane = IMAGE_SIZE * IMAGE_SIZE;
  const value = (_, index) => {
    const channel = Math.floor(index / plane);
    return (data[4 * (index % plane) + channel] / 255 - MEAN[channel]) / STD[channel];
  };
  return new ort.Tensor('float32', Float32Array.from({ length: 3 * plane }, value), [1, 3, IMAGE_SIZE, IMAGE_SIZE]);
}

onmessage = async ({ data }) => {
  try {
    if (data instanceof Blob) await answer(data);
    else await (session = load(data));
  } catch (error) {
    postMessage({ error: String(error?.message ?? error) });
  }
};
