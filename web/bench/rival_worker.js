// onnxruntime-web on the CPU, as its users run it: a session in a worker, one photo at a time.

import * as ort from './ort/ort.wasm.min.mjs';

ort.env.wasm.wasmPaths = new URL('ort/', import.meta.url).href;
let session, pixelValues;

const fetched = async (path) => {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.arrayBuffer();
};

async function load({ form, threads, imageSize }) {
  ort.env.wasm.numThreads = threads;
  const options = { executionProviders: ['wasm'], graphOptimizationLevel: 'all' };
  session = await ort.InferenceSession.create(await fetched(`inputs/${form}.onnx`), options);
  pixelValues = new ort.Tensor('float32', new Float32Array(await fetched('inputs/pixel_values.f32')), [
    1, 3, imageSize, imageSize,
  ]);
  return { isIsolated: crossOriginIsolated };
}

async function answer() {
  const started = performance.now();
  const { image_features: features } = await session.run({ pixel_values: pixelValues });
  return { millis: performance.now() - started, features: Array.from(features.data) };
}

onmessage = async ({ data: request }) => {
  try {
    postMessage(await (request.kind === 'load' ? load(request) : answer()));
  } catch (error) {
    postMessage({ error: String(error?.message ?? error) });
  }
};
