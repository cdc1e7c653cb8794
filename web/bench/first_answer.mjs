/**
 * `just bench-first-answer`: time and bytes until the first answer, of our page and of onnxruntime-web, on a link of
 * 20 Mbit/s, on the first visit and on the second.
 *
 * A visit starts a browser, opens the page and chooses a photo at once; the time is from the navigation to the answer. The
 * second visit has the profile of the first. Both sides have the same kind of link, which counts all bytes, headers
 * included. Writes `first_answer.json`.
 *
 * With `--before web/dist`, another build of our page takes the rival's place: what a change of the page costs a visitor.
 */

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { machineWith, readOptions, spread } from './bench_run.mjs';
import { BROWSER_ARGS } from './browser.mjs';
import { Link } from './link.mjs';
import { OurVisit, RivalVisit } from './visits.mjs';

const options = readOptions({
  rounds: { type: 'string', default: '3' },
  megabits: { type: 'string', default: '20' }, // per second
  ours: { type: 'string', default: 'int8' }, // our format
  form: { type: 'string', default: 'uint8' }, // the rival's format: its smallest with eight bits
  before: { type: 'string' }, // another build of our page
});

const photos = join(options.inputs, 'photos');
const photo = join(photos, readdirSync(photos).sort()[0]);
const ours = { ...options, models: join(options.models, options.ours) };
const other = options.before
  ? new OurVisit({ ...ours, app: options.before }, options.ours, 'dermake before')
  : new RivalVisit(options, options.form);
const sides = [new OurVisit(ours, options.ours), other];
const visits = []; // { side, visit, millis, bytes }
let browserVersion;

try {
  for (const side of sides) side.url = await side.serve();
  for (let round = 0; round < +options.rounds; round++) {
    for (const side of sides) await twoVisits(side);
  }
  report();
} finally {
  for (const side of sides) side.close?.();
}

async function twoVisits(side) {
  const profile = mkdtempSync(join(tmpdir(), 'dermake-visit-'));
  const link = new Link(+options.megabits);
  try {
    const url = await link.to(side.url);
    for (const visit of [1, 2]) visits.push({ side, visit, ...(await oneVisit(side, url, profile, link)) });
  } finally {
    link.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

async function oneVisit(side, url, profile, link) {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: options.chromium,
    args: BROWSER_ARGS,
  });
  try {
    browserVersion = context.browser()?.version() ?? browserVersion;
    const page = context.pages()[0];
    const bytesBefore = link.bytes;
    const started = performance.now();
    await side.open(page, url);
    await page.getByTestId('photo-input').setInputFiles(photo);
    await side.answer(page);
    const [millis, bytes] = [performance.now() - started, link.bytes - bytesBefore];
    await side.stored(page);
    return { millis, bytes };
  } finally {
    await context.close();
  }
}

function report() {
  console.log(`first answer on a link of ${options.megabits} Mbit/s`);
  const rows = sides.flatMap((side) => [1, 2].map((visit) => rowOf(side, visit)));
  for (const row of rows) {
    const [median, least, most] = [row.median_ms, row.min_ms, row.max_ms].map((millis) => (millis / 1000).toFixed(2));
    const visit = row.visit === 1 ? 'first visit' : 'second visit';
    const size = row.bytes >= 1e6 ? `${(row.bytes / 1e6).toFixed(1)} MB` : `${(row.bytes / 1e3).toFixed(1)} kB`;
    console.log(`  ${row.engine} ${row.form}, ${visit}: ${median} s (${least}–${most}, n ${row.n}), ${size}`);
  }
  const machine = machineWith(browserVersion ?? 'of unknown version');
  const path = join(options.out, 'first_answer.json');
  writeFileSync(path, `${JSON.stringify({ machine, megabits: +options.megabits, rows }, null, 2)}\n`);
  console.log(`written: ${path}`);
  const refetched = rows.filter(({ visit, bytes, weights_bytes }) => visit === 2 && bytes >= weights_bytes);
  for (const row of refetched) {
    console.error(`error: ${row.engine}: the second visit fetched the weights again`);
    process.exitCode = 1;
  }
}

function rowOf(side, visit) {
  const own = visits.filter((one) => one.side === side && one.visit === visit);
  return {
    engine: side.name,
    form: side.form,
    visit,
    ...spread(own.map((one) => one.millis)),
    bytes: Math.max(...own.map((one) => one.bytes)),
    weights_bytes: side.weightsBytes,
  };
}
