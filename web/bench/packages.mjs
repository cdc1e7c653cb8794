/**
 * `just bench-packages`: our JavaScript package beside transformers.js' pipeline `zero-shot-image-classification`: lines of
 * code, bytes, and time to the first answer on a link of 20 Mbit/s, on the first visit and on the second.
 *
 * Both have the same random CLIP ViT-B/16 with weights in 8 bits, the same photo, and pages of one's own on the same host,
 * isolated and compressed. transformers.js encodes each label in one template, our package in the eight of MAKE; for a
 * built-in set of labels, it needs no text part. Writes `packages.json`.
 */

import { execFileSync } from 'node:child_process';
import { createReadStream, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { machineWith, readOptions, spread } from './bench_run.mjs';
import { BROWSER_ARGS } from './browser.mjs';
import { Link } from './link.mjs';

const ANSWER_MILLIS = 600_000;
const here = import.meta.dirname;
const pages = join(here, 'packages');
const modules = join(pages, 'node_modules');
const OWN_LABELS = 'nevus,melanoma,seborrheic keratosis,basal cell carcinoma,actinic keratosis,squamous cell carcinoma';
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.json': 'application/json', '.wasm': 'application/wasm' };

const options = readOptions({
  rounds: { type: 'string', default: '3' },
  megabits: { type: 'string', default: '20' }, // per second
  photo: { type: 'string' },
});

const sides = [
  { name: 'dermake, a built-in set', page: 'ours.html', labels: 'pad' },
  { name: 'dermake, own labels', page: 'ours.html', labels: OWN_LABELS },
  { name: 'transformers.js, own labels', page: 'theirs.html', labels: OWN_LABELS },
];
const work = mkdtempSync(join(tmpdir(), 'dermake-packages-'));
const server = await serve();
let browserVersion;

try {
  for (const side of sides) side.visits = [[], []];
  for (let round = 0; round < +options.rounds; round++) {
    for (const side of sides) await twoVisits(side);
  }
  report();
} finally {
  server.close();
  rmSync(work, { recursive: true, force: true });
}

/** Installs our package, and serves both packages, both models and the pages. */
async function serve() {
  const tarball = execFileSync(join(here, '../npm/pack.sh'), [options.app, work], { encoding: 'utf8' }).trim();
  writeFileSync(join(work, 'package.json'), '{"private": true}');
  execFileSync('npm', ['install', '--offline', '--silent', '--no-audit', '--no-fund', tarball], { cwd: work });
  const folders = {
    'models/ours': options.models,
    'models/theirs': options.inputs,
    dermake: join(work, 'node_modules/dermake'),
    transformers: join(modules, '@huggingface/transformers/dist'),
    ort: ortOf(join(modules, '@huggingface/transformers')),
  };
  const compressed = new Map();
  const made = createServer((request, response) => {
    const name = normalize(decodeURIComponent(new URL(request.url, 'http://host').pathname)).slice(1);
    const folder = Object.keys(folders).find((folder) => name.startsWith(`${folder}/`));
    const path = folder ? join(folders[folder], name.slice(folder.length + 1)) : join(pages, name);
    response.setHeader('Content-Type', TYPES[extname(path)] ?? 'application/octet-stream');
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return void response.writeHead(404).end();
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')?.slice(1).map(Number);
    if (range) {
      const [start, end] = range;
      response.setHeader('Content-Range', `bytes ${start}-${end}/${statSync(path).size}`);
      response.writeHead(206, { 'Content-Length': end - start + 1 });
      return void createReadStream(path, { start, end }).pipe(response);
    }
    if (!TYPES[extname(path)]) {
      response.setHeader('Content-Length', statSync(path).size);
      return void createReadStream(path).pipe(response);
    }
    if (!compressed.has(path)) compressed.set(path, gzipSync(readFileSync(path), { level: 9 }));
    response.setHeader('Content-Encoding', 'gzip');
    response.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
    response.end(compressed.get(path));
  });
  await new Promise((resolve) => made.listen(0, '127.0.0.1', resolve));
  return made;
}

/** The folder of the onnxruntime-web that transformers.js uses: its own, or the one beside it. */
function ortOf(transformers) {
  const own = join(transformers, 'node_modules/onnxruntime-web/dist');
  return statSync(own, { throwIfNoEntry: false }) ? own : join(modules, 'onnxruntime-web/dist');
}

async function twoVisits(side) {
  const profile = mkdtempSync(join(tmpdir(), 'dermake-visit-'));
  const link = new Link(+options.megabits);
  try {
    const url = await link.to(`http://127.0.0.1:${server.address().port}/`);
    for (const visits of side.visits) visits.push(await oneVisit(side, url, profile, link));
  } finally {
    link.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

async function oneVisit(side, url, profile, link) {
  const context = await chromium.launchPersistentContext(profile, { executablePath: options.chromium, args: BROWSER_ARGS });
  try {
    browserVersion = context.browser()?.version() ?? browserVersion;
    const page = context.pages()[0];
    const bytesBefore = link.bytes;
    const started = performance.now();
    await page.goto(`${url}${side.page}?labels=${encodeURIComponent(side.labels)}`);
    await page.getByTestId('photo-input').setInputFiles(options.photo);
    await page.locator('output[data-answer], output[data-error]').waitFor({ state: 'attached', timeout: ANSWER_MILLIS });
    const millis = performance.now() - started;
    const output = page.locator('output');
    const error = await output.getAttribute('data-error');
    if (error !== null) throw new Error(`${side.name}: the page shows: ${error}`);
    side.answers = JSON.parse(await output.getAttribute('data-answer'));
    return { millis, bytes: link.bytes - bytesBefore };
  } finally {
    await context.close();
  }
}

/** Lines between `begin` and `end`, and the import. */
function linesOf(page) {
  const lines = readFileSync(join(pages, page), 'utf8').split('\n').map((line) => line.trim());
  return lines.slice(lines.indexOf('// begin') + 1, lines.indexOf('// end')).filter((line) => line !== '').length + 1;
}

function report() {
  const rows = sides.map(({ name, page, labels, visits, answers }) => {
    const [first, second] = visits.map((visits) => ({
      ...spread(visits.map(({ millis }) => millis)),
      bytes: Math.max(...visits.map(({ bytes }) => bytes)),
    }));
    return { name, lines: linesOf(page), first, second, labels: labels.split(','), answers };
  });
  console.log(`zero-shot classification in a page of one's own, on a link of ${options.megabits} Mbit/s`);
  for (const { name, lines, first, second } of rows) {
    const visit = ({ median_ms, min_ms, max_ms, n, bytes }) => {
      const [median, least, most] = [median_ms, min_ms, max_ms].map((millis) => (millis / 1000).toFixed(2));
      return `${median} s (${least}–${most}, n ${n}), ${(bytes / 1e6).toFixed(2)} MB`;
    };
    console.log(`  ${name}: ${lines} lines; first visit ${visit(first)}; second visit ${visit(second)}`);
  }
  const path = join(options.out, 'packages.json');
  const versions = { transformers: JSON.parse(readFileSync(join(modules, '@huggingface/transformers/package.json'), 'utf8')).version };
  const machine = machineWith(browserVersion ?? 'of unknown version');
  writeFileSync(path, `${JSON.stringify({ machine, versions, megabits: +options.megabits, rows }, null, 2)}\n`);
  console.log(`written: ${path}`);
  for (const { name, answers } of rows) {
    const scores = answers.map(({ probability, score }) => probability ?? score);
    if (scores.every(Number.isFinite)) continue;
    console.error(`error: ${name}: a score is no number: ${scores.join(', ')}`);
    process.exitCode = 1;
  }
}
