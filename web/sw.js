// Stores the page for visits without a network. The weights are stored by the model's worker.
//
// The files of a version are stored together, in one cache per version, and served from there. index.html and the list of
// models are fetched from the network first, because they may change at any time. Only valid responses are stored, not a
// login page, a proxy's error or a truncated file.
const VERSION = "VERSION"; // finish.sh fills in both
const FILES = { "FILE": "SHA-256" };
// The builds of the worker that this browser runs, now and from the next visit on; the others are not stored.
const BUILDS = new URLSearchParams(location.search).getAll("build");
const OF_BUILD = new RegExp(`^worker-[0-9a-f]+-(${BUILDS.join("|")})(_loader|_pool|_bg)?\\.`);
// Threads need a page that is isolated from other sites.
const HAS_THREADS = BUILDS.some((build) => build.startsWith("threads"));

// Timeouts of the network if there is a stored response, and of Cache Storage.
const NETWORK_MILLIS = 5_000;
const CACHE_MILLIS = 3_000;
// After a timeout, stored responses are used at once for this long: a visit makes several requests.
const OFFLINE_MILLIS = 30_000;
let offlineUntil = 0;

const INDEX = new URL("./", location).href;
// Caches are the whole origin's, on which other folders may have such pages, too.
const PAGES = `dermake-page ${new URL(INDEX).pathname} `;
const PAGE = PAGES + VERSION;
const MODELS = "dermake-models";
const MODEL_LIST = new URL("models", location).href;
// Files of the page with a hash in their names: they may be of a version that an older tab still runs.
const HASHED = /^(?!models\/|v1\/).*-[0-9a-f]{16}[-_.]/;
const TYPES = {
  js: /javascript/,
  wasm: /^application\/wasm/,
  css: /^text\/css/,
  svg: /^image\/svg/,
  jpg: /^image\/jpeg/,
  "": /^text\/html/,
};
const wanted = Object.keys(FILES).filter((file) => !file.startsWith("worker-") || OF_BUILD.test(file));
const pageFiles = new Set(wanted.map((file) => new URL(file, location).href));

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(Promise.all([storePage(), storeModels().catch(() => {})]));
});

addEventListener("activate", (event) => {
  // Until the activation is over, no request is answered. So this is not awaited: it waits for all workers of the page, the
  // model's threads too, which sleep until there is work.
  clients.claim().catch(() => {});
  event.waitUntil(deleteOldVersions());
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  const url = origin + pathname; // the query does not matter for the page's files
  if (request.mode === "navigate") {
    if (url !== INDEX && url !== `${INDEX}index.html`) return;
    event.respondWith(fetchPage(request).then(isolated));
    event.waitUntil(deleteOldVersions());
  } else if (isModelInfo(url)) event.respondWith(fetchModelInfo(request));
  else if (pageFiles.has(url) || (url.startsWith(INDEX) && HASHED.test(url.slice(INDEX.length)))) {
    const response = storedPageFile(url).then((stored) => stored ?? fetch(request));
    event.respondWith(request.destination === "worker" ? response.then(isolated) : response);
  }
});

// Answers the page, which asks whether its next visit works without a network.
addEventListener("message", (event) => {
  const answer = isStored().catch(() => false);
  event.waitUntil(answer.then((stored) => event.ports[0]?.postMessage(stored)));
});

// ---- The page's files

async function storePage() {
  const cache = await caches.open(PAGE);
  const missing = async (url) => !(await cache.match(url));
  await Promise.all(
    wanted.map(async (file) => {
      const url = new URL(file, location).href;
      if (await missing(url)) await cache.put(url, await fetchFile(url, FILES[file]));
    }),
  );
  // Last, so that it is stored only if all files are.
  if (await missing(INDEX)) await cache.put(INDEX, await fetchIndex());
}

// The browser's HTTP cache may have a file of another version under the same name.
async function fetchFile(url, sha256) {
  for (const cache of ["default", "reload"]) {
    const response = await fetch(new Request(url, { cache }));
    if (isValid(response, url) && (await digest(response.clone())) === sha256) return response;
  }
  throw new TypeError(`not the file of this version: ${url}`);
}

async function fetchIndex() {
  const response = await fetch(new Request(INDEX, { cache: "no-cache" }));
  const isOurs = isValid(response, INDEX) && (await response.clone().text()).includes(`content="${VERSION}"`);
  if (!isOurs) throw new TypeError("not the page of this version");
  return response;
}

async function digest(response) {
  const hash = await crypto.subtle.digest("SHA-256", await response.arrayBuffer());
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Whether a response has the media type of its URL.
function isValid(response, url) {
  const { pathname } = new URL(url);
  const extension = /\.([a-z]+)$/.exec(pathname)?.[1] ?? "";
  const type = response.headers.get("content-type") ?? "";
  return response.status === 200 && !response.redirected && (TYPES[extension]?.test(type) ?? true);
}

// A stored file of this version or, for a tab that still runs an older one, of that version; undefined if there is none.
async function storedPageFile(url) {
  const findIn = async (name) => {
    // Opening a cache would create one that has just been deleted.
    const response = await caches.match(url, { cacheName: name });
    return response && isValid(response, url) ? response : undefined;
  };
  const find = async () => {
    let response = await findIn(PAGE);
    for (const name of response ? [] : await olderVersions()) response ??= await findIn(name);
    return response;
  };
  return timeout(CACHE_MILLIS, find()).catch(() => undefined);
}

async function fetchPage(request) {
  offlineUntil = 0; // a new visit or a reload: the network may be back
  const fetched = fetch(request);
  fetched.catch(() => {}); // handled below
  const stored = await storedPageFile(INDEX);
  if (!stored) return fetched;
  const response = await withinTimeout(fetched);
  return response && !isUnavailable(response) ? response : stored;
}

// Adds the headers that isolate the page if the host did not send them.
function isolated(response) {
  const isReadable = response.type === "basic" || response.type === "default";
  if (!HAS_THREADS || !isReadable || response.headers.has("cross-origin-embedder-policy")) return response;
  const { status, statusText } = response;
  const headers = new Headers(response.headers);
  headers.set("cross-origin-opener-policy", "same-origin");
  headers.set("cross-origin-embedder-policy", "require-corp");
  return new Response(response.body, { status, statusText, headers });
}

// Whether the server, or a proxy in front of it, cannot respond now.
function isUnavailable({ status }) {
  return status >= 500 || status === 408 || status === 429;
}

// ---- The list of models and their manifests

function isModelInfo(url) {
  return url === MODEL_LIST || url.endsWith("/manifest.json");
}

async function storeModels() {
  const list = await (await fetchModelInfo(new Request(MODEL_LIST))).json();
  await Promise.allSettled(manifestUrls(list).map((url) => fetchModelInfo(new Request(url))));
}

// The server's URLs begin at its root, to which a proxy may add a prefix: see `relative_to_page` in the page's program.
function manifestUrls(list) {
  const folder = new URL(INDEX).pathname;
  const relativeToPage = (url) => (/^\/(?!\/)/.test(url) && !url.startsWith(folder) ? url.slice(1) : url);
  return list.map(({ manifest }) => new URL(relativeToPage(manifest), INDEX).href);
}

// Fetches from the network; without a usable response, returns the stored one.
async function fetchModelInfo(request) {
  const fetched = fetchAndStore(request);
  fetched.catch(() => {}); // handled below
  const stored = await storedModelInfo(request.url);
  if (!stored) return (await fetched).response;
  const { response, isUsable } = (await withinTimeout(fetched)) ?? {};
  const isGone = response?.status === 404 || response?.status === 410;
  return isUsable || isGone ? response : stored;
}

async function fetchAndStore(request) {
  // A connection without data would block others.
  const response = await fetch(request, { signal: AbortSignal.timeout?.(OFFLINE_MILLIS) });
  const isUsable = response.status === 200 && !response.redirected && isModelInfoJson(request.url, await json(response.clone()));
  if (isUsable) {
    const copy = response.clone();
    // If storage is full, only a visit without a network fails.
    await caches.open(MODELS).then((cache) => cache.put(request.url, copy)).catch(() => {});
  }
  return { response, isUsable };
}

// Returns a stored response. Deletes an invalid one, which an older version of this program may have stored.
async function storedModelInfo(url) {
  const find = async () => {
    const cache = await caches.open(MODELS);
    const response = await cache.match(url);
    if (!response) return undefined;
    const isUsable = !response.redirected && isModelInfoJson(url, await json(response.clone()));
    if (!isUsable) await cache.delete(url);
    return isUsable ? response : undefined;
  };
  return timeout(CACHE_MILLIS, find()).catch(() => undefined);
}

async function json(response) {
  return response.json().catch(() => undefined);
}

function isModelInfoJson(url, value) {
  if (url.split(/[?#]/)[0] !== MODEL_LIST) return Array.isArray(value?.files);
  return Array.isArray(value) && value.every((model) => typeof model?.manifest === "string");
}

async function isStored() {
  await storePage(); // what the browser has deleted since
  const areModelsStored = async () => {
    const list = await storedModelInfo(MODEL_LIST);
    if (!list) return false;
    const manifests = await Promise.all(manifestUrls(await list.json()).map(storedModelInfo));
    return manifests.length > 0 && manifests.every(Boolean);
  };
  if (await areModelsStored()) return true;
  await storeModels();
  return areModelsStored();
}

// ---- Versions

// Deletes the files of versions that no tab runs any more, now or on a later visit: it is not awaited for long, because
// activations wait for it.
function deleteOldVersions() {
  return timeout(CACHE_MILLIS, deleteUnusedVersions()).catch(() => {});
}

// Each tab holds a lock with its version's name (boot.js).
async function deleteUnusedVersions() {
  const names = await olderVersions();
  if (names.length === 0) return;
  const held = (await navigator.locks?.query())?.held ?? [];
  const inUse = held.map(({ name }) => name).filter((name) => name.startsWith(PAGES));
  const tabs = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const pages = tabs.filter(({ url }) => [INDEX, `${INDEX}index.html`].includes(url.split(/[?#]/)[0]));
  // A tab without a lock may run any version.
  if (pages.length > inUse.length) return;
  await Promise.all(names.filter((name) => !inUse.includes(name)).map((name) => caches.delete(name)));
}

async function olderVersions() {
  return (await caches.keys()).filter((name) => name.startsWith(PAGES) && name !== PAGE);
}

// ---- Timeouts

// Returns the network's response; undefined if it takes too long or fails.
async function withinTimeout(fetched) {
  fetched.then(() => (offlineUntil = 0)).catch(() => {});
  const onTimeout = () => (offlineUntil = Date.now() + OFFLINE_MILLIS);
  return timeout(Date.now() < offlineUntil ? 0 : NETWORK_MILLIS, fetched, onTimeout).catch(() => undefined);
}

// Rejects when a promise takes longer than the timeout.
function timeout(millis, promise, onTimeout = () => {}) {
  let timer;
  const timedOut = new Promise((_, reject) => {
    timer = setTimeout(() => {
      onTimeout();
      reject(new Error("timed out"));
    }, millis);
  });
  return Promise.race([promise, timedOut]).finally(() => clearTimeout(timer));
}
