// Keeps the page for visits without a network; the weights are kept by the model's worker.
//
// Everything that was built together is kept together, under one version: the page's own files come from there, and
// only the page itself (index.html) is first asked for anew. So is what models there are, which may change at any time.
const VERSION = "VERSION"; // finish.sh fills in both
const FILES = ["FILES"];
// The build of the worker that this browser runs; the others are not kept.
const BUILD = new URLSearchParams(location.search).get("build");
const OF_BUILD = new RegExp(`^worker-[0-9a-f]+-${BUILD}(_loader|_pool|_bg)?\\.`);

const PAGE = `dermake-page-${VERSION}`;
const MODELS = "dermake-models";
const INDEX = new URL("./", location).href;
const MODEL_LIST = new URL("models", location).href;
const wanted = FILES.filter((file) => !file.startsWith("worker-") || OF_BUILD.test(file));
const kept = new Set(wanted.map((file) => new URL(file, location).href));

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(Promise.all([keepPage(), keepModels().catch(() => {})]));
});

addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([clients.claim(), forgetOtherVersions()]));
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname, href } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => fromPage(INDEX)));
  else if (href === MODEL_LIST || pathname.endsWith("/manifest.json")) event.respondWith(newest(request));
  else if (kept.has(href)) event.respondWith(fromPage(request).catch(() => fetch(request)));
});

async function keepPage() {
  const cache = await caches.open(PAGE);
  // Past the browser's own cache, which may hold files of another version under the same name.
  await cache.addAll([INDEX, ...kept].map((url) => new Request(url, { cache: "no-cache" })));
}

async function keepModels() {
  const list = await newest(new Request(MODEL_LIST));
  const models = await list.json();
  await Promise.all(models.map(({ manifest }) => newest(new Request(new URL(manifest, location)))));
}

async function fromPage(request) {
  const response = await (await caches.open(PAGE)).match(request);
  if (!response) throw new TypeError("not kept");
  return response;
}

// From the network, and without one as it last came from there.
async function newest(request) {
  const cache = await caches.open(MODELS);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone()).catch(() => {});
    return response;
  } catch (error) {
    const response = await cache.match(request);
    if (!response) throw error;
    return response;
  }
}

async function forgetOtherVersions() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("dermake-page-") && name !== PAGE);
  await Promise.all(old.map((name) => caches.delete(name)));
}
