/** The sides of the benchmark: our built page, and onnxruntime-web in a page of its own. */

import { spawn } from 'node:child_process';
import { createReadStream, readFileSync, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';

const IMAGE_SIZE = 224;
const READY_MILLIS = 300_000;
const here = import.meta.dirname;
const ORT = join(here, 'node_modules/onnxruntime-web/dist');
const ORT_FILES = ['ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'];

/** Our page, served by `dermake serve`. A run chooses a photo; its time is the one that the page shows. */
export class Ours {
  name = 'dermake';

  /** `form` is a folder of the models, of `dermake quantize --format`. One thread is the build without threads. */
  constructor(form, threads, options) {
    Object.assign(this, { form, threads, options });
    this.bits = form === 'int4' ? 4 : 8;
    this.models = join(options.models, form);
    this.build = threads > 1 ? 'threads_relaxed' : 'relaxed';
  }

  async open(context) {
    this.server = await serveOurs({ ...this.options, models: this.models });
    this.page = await context.newPage();
    await this.page.goto(`${this.server.url}?build=${this.build}&threads=${this.threads}`);
    await this.page.locator('[data-testid=status][data-phase=ready]').waitFor({ timeout: READY_MILLIS });
  }

  async run(photo) {
    const answered = this.page.evaluate(phaseAfterWork, READY_MILLIS);
    await this.page.getByTestId('photo-input').setInputFiles(photo);
    if ((await answered) !== 'ready') {
      throw new Error(`our page shows: ${await this.page.getByTestId('notice').textContent()}`);
    }
    const millis = Number(await this.page.getByTestId('answered-by').getAttribute('data-millis'));
    if (!(millis >= 1)) throw new Error('our page shows no time of a millisecond or more');
    return millis;
  }

  /** The lowest cosine of the sample photos, of the report of `dermake quantize`. */
  get cosine() {
    const { cosines } = JSON.parse(readFileSync(join(this.models, 'report.json'), 'utf8'));
    return Math.min(...cosines.map(({ cosine }) => cosine));
  }

  get bytes() {
    const ofBuild = new RegExp(`^worker-[0-9a-f]+-${this.build}(_loader|_pool|_bg)?\\.`);
    const isFetched = (name) => /\.(js|wasm)$/.test(name) && (!name.startsWith('worker-') || ofBuild.test(name));
    const programs = readdirSync(this.options.app).filter(isFetched);
    return {
      weights: statSync(join(this.models, 'vision.safetensors')).size,
      ...sizes(programs.map((name) => join(this.options.app, name))),
    };
  }

  close() {
    this.server?.close();
  }
}

/** In the page: waits until it has classified a photo; returns its phase then. */
function phaseAfterWork(limitMillis) {
  return new Promise((resolve, reject) => {
    const status = document.querySelector('[data-testid=status]');
    let isBusy = false;
    new MutationObserver((_, observer) => {
      const { phase } = status.dataset;
      if (phase === 'classifying') isBusy = true;
      else if (isBusy) {
        observer.disconnect();
        resolve(phase);
      }
    }).observe(status, { attributes: true, attributeFilter: ['data-phase'] });
    setTimeout(() => reject(new Error('no answer')), limitMillis);
  });
}

/** onnxruntime-web in a worker, with one format of the weights. A run is the tower alone; no photo is decoded. */
export class Rival {
  name = 'onnxruntime-web';

  constructor(server, form, threads, inputs) {
    Object.assign(this, { server, form, threads, inputs });
    this.bits = { fp32: 32, int4: 4 }[form] ?? 8;
  }

  async open(context) {
    this.page = await context.newPage();
    await this.page.goto(this.server.url);
    const request = { kind: 'load', form: this.form, threads: this.threads, imageSize: IMAGE_SIZE };
    const { isIsolated } = await this.send(request);
    if (!isIsolated) throw new Error('the page is not isolated, so that it would silently use one thread');
  }

  async run() {
    const { millis, features } = await this.send({ kind: 'answer' });
    this.features = features;
    return millis;
  }

  send(request) {
    return this.page.evaluate((request) => globalThis.send(request), request);
  }

  /** Cosine with the features that PyTorch computes in f32. */
  get cosine() {
    const bytes = readFileSync(join(this.inputs, 'features.f32'));
    const expected = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    const dot = (a, b) => a.reduce((sum, value, index) => sum + value * b[index], 0);
    return dot(this.features, expected) / Math.sqrt(dot(this.features, this.features) * dot(expected, expected));
  }

  get bytes() {
    return {
      weights: statSync(join(this.inputs, `${this.form}.onnx`)).size,
      ...sizes(ORT_FILES.map((name) => join(ORT, name))),
    };
  }

  close() {}
}

/** Sizes of the program that a visitor downloads, as it is and compressed. */
function sizes(paths) {
  const contents = paths.map((path) => readFileSync(path));
  const total = (values) => values.reduce((sum, value) => sum + value.length, 0);
  return { runtime: total(contents), runtime_gzip: total(contents.map((content) => gzipSync(content, { level: 9 }))) };
}

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** Starts `dermake serve`. */
export async function serveOurs({ dermake, app, models }) {
  const options = ['serve', '--app', app, '--models', models, '--port', '0'];
  const server = spawn(dermake, options, { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: server.stdout }).once('line', resolve);
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`dermake serve ended with ${code} before it listened`)));
  });
  return { url, close: () => server.kill('SIGTERM') };
}

/** Serves the rival's page with the headers that threads need, and the library compressed and immutable, as hosts do. */
export async function serveRival(inputs) {
  const folders = { ort: ORT, inputs };
  const library = new Map(ORT_FILES.map((name) => [join(ORT, name), gzipSync(readFileSync(join(ORT, name)))]));
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://rival');
    const [, folder, name] = /^\/(?:(ort|inputs)\/)?([\w.-]*)$/.exec(pathname) ?? [];
    const path = join(folders[folder] ?? here, basename(name || 'rival.html'));
    response.setHeader('Content-Type', TYPES[extname(path)] ?? 'application/octet-stream');
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    if (library.has(path)) {
      response.setHeader('Content-Encoding', 'gzip');
      response.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
      response.end(library.get(path));
      return;
    }
    const file = createReadStream(path);
    file.once('error', () => response.writeHead(404).end());
    file.once('open', () => file.pipe(response));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}
