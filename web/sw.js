// Keeps the page for visits without a network; the weights are kept by the model's worker.
//
// Everything that was built together is kept together, in one cache per version: the page's own files come from there,
// and only the page itself (index.html) is first asked for anew. So is what models there are, which may change at any
// time. Only what is what it claims to be is kept: a login page, a proxy's error or a file cut short is not.
const VERSION = "VERSION"; // finish.sh fills in both
const FILES = { "FILE": "SHA-256" };
// The build of the worker that this browser runs; the others are not kept.
const BUILD = new URLSearchParams(location.search).get("build");
const OF_BUILD = new RegExp(`^worker-[0-9a-f]+-${BUILD}(_loader|_pool|_bg)?\\.`);

// How long the network may take where something kept can answer instead, and how long the browser's own cache may.
const NETWORK_MILLIS = 5_000;
const CACHE_MILLIS = 3_000;
// Once the network took longer, it is not waited for again so soon: a visit asks for several things.
const SILENT_MILLIS = 30_000;
let silentUntil = 0;

const PAGES = "dermake-page-";
const PAGE = PAGES + VERSION;
const MODELS = "dermake-models";
const INDEX = new URL("./", location).href;
const MODEL_LIST = new URL("models", location).href;
// Files of the page whose names change with their content: they may be of a version that an older tab still runs.
const HASHED = /^(?!models\/|v1\/).*-[0-9a-f]{16}[-_.]/;
const TYPES = {
  js: /javascript/,
  wasm: /^application\/wasm/,
  css: /^text\/css/,
  svg: /^image\/svg/,
  jpg: /^image\/jpeg/,
  webmanifest: /json/,
  "": /^text\/html/,
};
const wanted = Object.keys(FILES).filter((file) => !file.startsWith("worker-") || OF_BUILD.test(file));
const ofPage = new Set(wanted.map((file) => new URL(file, location).href));

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(Promise.all([keepPage(), keepModels().catch(() => {})]));
});

addEventListener("activate", (event) => {
  // Never awaited: it waits for all workers of the page, the model's threads too. These sleep until there is work, and
  // no file would be answered until the activation is over.
  clients.claim().catch(() => {});
  event.waitUntil(forgetOldVersions());
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  const address = origin + pathname; // a query changes none of the page's files
  if (request.mode === "navigate") {
    if (address !== INDEX && address !== `${INDEX}index.html`) return;
    event.respondWith(newestPage(request));
    event.waitUntil(forgetOldVersions());
  } else if (isOfModels(address)) event.respondWith(newestOfModels(request));
  else if (ofPage.has(address) || (address.startsWith(INDEX) && HASHED.test(address.slice(INDEX.length)))) {
    event.respondWith(fromPage(address).then((response) => response ?? fetch(request)));
  }
});

// The page asks whether its next visit needs no network.
addEventListener("message", (event) => {
  const answer = isKept().catch(() => false);
  event.waitUntil(answer.then((kept) => event.ports[0]?.postMessage(kept)));
});

// ---- The page's own files

async function keepPage() {
  const cache = await caches.open(PAGE);
  const missing = async (url) => !(await cache.match(url));
  await Promise.all(
    wanted.map(async (file) => {
      const url = new URL(file, location).href;
      if (await missing(url)) await cache.put(url, await fetchFile(url, FILES[file]));
    }),
  );
  // Last: where it is, all of its files are.
  if (await missing(INDEX)) await cache.put(INDEX, await fetchIndex());
}

// The browser's own cache may hold a file of another version under the same name.
async function fetchFile(url, sha256) {
  for (const cache of ["default", "reload"]) {
    const response = await fetch(new Request(url, { cache }));
    if (isSound(response, url) && (await digest(response.clone())) === sha256) return response;
  }
  throw new TypeError(`not the file of this version: ${url}`);
}

async function fetchIndex() {
  const response = await fetch(new Request(INDEX, { cache: "no-cache" }));
  const isOurs = isSound(response, INDEX) && (await response.clone().text()).includes(`content="${VERSION}"`);
  if (!isOurs) throw new TypeError("not the page of this version");
  return response;
}

async function digest(response) {
  const hash = await crypto.subtle.digest("SHA-256", await response.arrayBuffer());
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Whether an answer is what its address promises.
function isSound(response, address) {
  const { pathname } = new URL(address);
  const extension = /\.([a-z]+)$/.exec(pathname)?.[1] ?? "";
  const type = response.headers.get("content-type") ?? "";
  return response.status === 200 && !response.redirected && (TYPES[extension]?.test(type) ?? true);
}

// Of this version or, for a tab that still runs an older one, of that; nothing if it is kept nowhere.
async function fromPage(address) {
  const findIn = async (name) => {
    const response = await (await caches.open(name)).match(address);
    return response && isSound(response, address) ? response : undefined;
  };
  const find = async () => {
    let response = await findIn(PAGE);
    for (const name of response ? [] : await olderVersions()) response ??= await findIn(name);
    return response;
  };
  return within(CACHE_MILLIS, find()).catch(() => undefined);
}

async function newestPage(request) {
  silentUntil = 0; // a new visit, or a reload: the network may be back
  const asked = fetch(request);
  asked.catch(() => {}); // it is waited for below
  const kept = await fromPage(INDEX);
  if (!kept) return asked;
  const response = await inTime(asked);
  return response && !isOutOfOrder(response) ? response : kept;
}

// Said by a server, or by a proxy in front of it, that cannot answer now.
function isOutOfOrder({ status }) {
  return status >= 500 || status === 408 || status === 429;
}

// ---- What models there are

function isOfModels(address) {
  return address === MODEL_LIST || address.endsWith("/manifest.json");
}

async function keepModels() {
  const list = await (await newestOfModels(new Request(MODEL_LIST))).json();
  await Promise.allSettled(manifestsOf(list).map((url) => newestOfModels(new Request(url))));
}

// The server names addresses from its own root, which a proxy may have put below a prefix: see `beside_page` in the
// page's program.
function manifestsOf(list) {
  const folder = new URL(INDEX).pathname;
  const besidePage = (address) => (/^\/(?!\/)/.test(address) && !address.startsWith(folder) ? address.slice(1) : address);
  return list.map(({ manifest }) => new URL(besidePage(manifest), INDEX).href);
}

// From the network; as it last came from there where the network has nothing that can be used.
async function newestOfModels(request) {
  const asked = fetchOfModels(request);
  asked.catch(() => {}); // it is waited for below
  const kept = await keptOfModels(request.url);
  if (!kept) return (await asked).response;
  const { response, isGood } = (await inTime(asked)) ?? {};
  const isGone = response?.status === 404 || response?.status === 410;
  return isGood || isGone ? response : kept;
}

async function fetchOfModels(request) {
  // A connection that brings nothing is in the way of others.
  const response = await fetch(request, { signal: AbortSignal.timeout?.(SILENT_MILLIS) });
  const isGood = response.status === 200 && !response.redirected && isOfUse(request.url, await json(response.clone()));
  if (isGood) {
    const kept = response.clone();
    // A full store costs the visit without a network, not this one.
    await caches.open(MODELS).then((cache) => cache.put(request.url, kept)).catch(() => {});
  }
  return { response, isGood };
}

// What an older version of this program may have kept wrongly is thrown away.
async function keptOfModels(url) {
  const find = async () => {
    const cache = await caches.open(MODELS);
    const response = await cache.match(url);
    if (!response) return undefined;
    const isGood = !response.redirected && isOfUse(url, await json(response.clone()));
    if (!isGood) await cache.delete(url);
    return isGood ? response : undefined;
  };
  return within(CACHE_MILLIS, find()).catch(() => undefined);
}

async function json(response) {
  return response.json().catch(() => undefined);
}

function isOfUse(url, value) {
  const address = url.split(/[?#]/)[0];
  if (address !== MODEL_LIST) return Array.isArray(value?.files);
  return Array.isArray(value) && value.every((model) => typeof model?.manifest === "string");
}

async function isKept() {
  if (!(await (await caches.open(PAGE)).match(INDEX))) return false;
  const areKept = async () => {
    const list = await keptOfModels(MODEL_LIST);
    if (!list) return false;
    const manifests = await Promise.all(manifestsOf(await list.json()).map(keptOfModels));
    return manifests.length > 0 && manifests.every(Boolean);
  };
  if (await areKept()) return true;
  await keepModels();
  return areKept();
}

// ---- Versions

// Removes the files of versions that no tab runs any more. Each tab holds a lock with its version's name (boot.js).
async function forgetOldVersions() {
  const names = await olderVersions();
  if (names.length === 0) return;
  const held = (await navigator.locks?.query())?.held ?? [];
  const inUse = held.map(({ name }) => name).filter((name) => name.startsWith(PAGES));
  const tabs = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const ours = tabs.filter(({ url }) => [INDEX, `${INDEX}index.html`].includes(url.split(/[?#]/)[0]));
  // A tab without a lock may run any version.
  if (ours.length > inUse.length) return;
  await Promise.all(names.filter((name) => !inUse.includes(name)).map((name) => caches.delete(name)));
}

async function olderVersions() {
  return (await caches.keys()).filter((name) => name.startsWith(PAGES) && name !== PAGE);
}

// ---- Time

// What the network brings; nothing if it takes too long or fails.
async function inTime(asked) {
  asked.then(() => (silentUntil = 0)).catch(() => {});
  const timeout = () => (silentUntil = Date.now() + SILENT_MILLIS);
  return within(Date.now() < silentUntil ? 0 : NETWORK_MILLIS, asked, timeout).catch(() => undefined);
}

// Rejects when a promise takes longer.
function within(millis, promise, onLate = () => {}) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      onLate();
      reject(new Error("it takes too long"));
    }, millis);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
