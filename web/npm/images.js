// What a page has of a photo, as the Blob that the worker reads.

import { invalid, kindOf } from "./arguments.js";

/** Returns the Blob of a photo. Pixels of a canvas become a PNG file, which loses nothing. */
export async function blobOf(image, signal) {
  if (image instanceof Blob) return image;
  if (image instanceof ArrayBuffer || ArrayBuffer.isView(image)) return new Blob([image]);
  if (typeof image === "string" || image instanceof URL) return fetched(image, signal);
  if (is(image, "HTMLImageElement")) return ofElement(image, signal);
  if (is(image, "OffscreenCanvas") || is(image, "HTMLCanvasElement")) return blobOfCanvas(image);
  if (is(image, "ImageData")) return drawn(image, (context) => context.putImageData(image, 0, 0));
  if (is(image, "ImageBitmap") || is(image, "HTMLVideoElement")) {
    return drawn(image, (context) => context.drawImage(image, 0, 0));
  }
  throw invalid(`image: expected a Blob, a File, bytes, a URL, an image, a canvas or ImageData, found ${kindOf(image)}.`);
}

/** Fetches a photo. */
export async function fetched(url, signal) {
  let response;
  try {
    response = await fetch(url, { signal });
    if (response.ok) return await response.blob();
  } catch (error) {
    signal?.throwIfAborted();
    throw invalid(`image: ${url} cannot be fetched (${error.cause?.message ?? error.message}).`);
  }
  throw invalid(`image: the server answers ${response.status} for ${url}.`);
}

// The file itself where it can be fetched. An object URL may have been revoked, and a Content-Security-Policy may forbid
// to fetch what it allows to show: then the pixels.
async function ofElement(image, signal) {
  try {
    return await fetched(addressOf(image), signal);
  } catch (error) {
    if (signal?.aborted || !image.naturalWidth) throw error;
    return drawn(image, (context) => context.drawImage(image, 0, 0)).catch(() => {
      throw error; // pixels of another site may not be read
    });
  }
}

const is = (image, type) => typeof globalThis[type] === "function" && image instanceof globalThis[type];

function addressOf(image) {
  const url = image.currentSrc || image.src;
  if (!url) throw invalid("image: the image element has no src.");
  return url;
}

function drawn(image, draw) {
  const [width, height] = [
    image.videoWidth ?? image.naturalWidth ?? image.width,
    image.videoHeight ?? image.naturalHeight ?? image.height,
  ];
  if (width === 0 || height === 0) {
    throw invalid(`image: the ${image.constructor.name} of ${width} x ${height} pixels has no picture; it is closed, or not loaded yet.`);
  }
  const canvas = new OffscreenCanvas(width, height);
  draw(canvas.getContext("2d"));
  return blobOfCanvas(canvas);
}

// Browsers refuse canvases without pixels, and those with pixels of another site.
async function blobOfCanvas(canvas) {
  const failed = (why) => invalid(`image: the canvas of ${canvas.width} x ${canvas.height} pixels has no picture${why}.`);
  let blob;
  try {
    blob = canvas.convertToBlob
      ? await canvas.convertToBlob({ type: "image/png" })
      : await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  } catch (error) {
    throw failed(` that may be read (${error.message})`);
  }
  if (!blob) throw failed("");
  return blob;
}
