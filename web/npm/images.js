// What a page has of a photo, as the Blob that the worker reads.

import { invalid } from "./errors.js";

/** Returns the Blob of a photo. Pixels of a canvas become a PNG file, which loses nothing. */
export async function blobOf(image, signal) {
  if (image instanceof Blob) return image;
  if (image instanceof ArrayBuffer || ArrayBuffer.isView(image)) return new Blob([image]);
  if (typeof image === "string" || image instanceof URL) return fetched(image, signal);
  if (is(image, "HTMLImageElement")) return fetched(image.currentSrc || image.src, signal);
  if (is(image, "OffscreenCanvas")) return image.convertToBlob({ type: "image/png" });
  if (is(image, "HTMLCanvasElement")) {
    const blob = await new Promise((resolve) => image.toBlob(resolve, "image/png"));
    if (blob) return blob;
    throw invalid(`image: the canvas of ${image.width} x ${image.height} pixels has no picture.`);
  }
  if (is(image, "ImageData")) {
    const canvas = new OffscreenCanvas(image.width, image.height);
    canvas.getContext("2d").putImageData(image, 0, 0);
    return blobOf(canvas);
  }
  if (is(image, "ImageBitmap") || is(image, "HTMLVideoElement")) {
    const canvas = new OffscreenCanvas(image.videoWidth ?? image.width, image.videoHeight ?? image.height);
    canvas.getContext("2d").drawImage(image, 0, 0);
    return blobOf(canvas);
  }
  const found = image === null ? "null" : image?.constructor?.name ?? typeof image;
  throw invalid(`image: expected a Blob, a File, bytes, a URL, an image, a canvas or ImageData, found ${found}.`);
}

const is = (image, type) => typeof globalThis[type] === "function" && image instanceof globalThis[type];

async function fetched(url, signal) {
  let response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw invalid(`image: ${url} cannot be fetched (${error.message}).`);
  }
  if (!response.ok) throw invalid(`image: the server answers ${response.status} for ${url}.`);
  return response.blob();
}
