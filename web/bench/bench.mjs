/**
 * `just bench-web`: compares our page with onnxruntime-web, one photo at a time, alternating, in one Chromium.
 *
 * All run the same random ViT-B/16, each in a page and process of its own that stays open. Ours is the page as it is
 * served to visitors; its time is the one that it shows, from the photo's bytes to the ranked labels, decoding included.
 * The time of onnxruntime-web is that of the tower alone, on a prepared tensor. Each measurement of ours has a new photo.
 * The benchmark fails if features differ from those in f32. Writes `web.json` and `web.svg`.
 */

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { machineWith, readOptions, spread } from './bench_run.mjs';
import { BROWSER_ARGS } from './browser.mjs';
import { picture } from './picture.mjs';
import { Ours, Rival, serveRival } from './sides.mjs';

/** Minimum cosine with the features in f32, by bits. int4 loses more, for its size. */
const MIN_COSINE = { 32: 0.9999, 8: 0.999, 4: 0.98 };
/** Pause between two measurements, so that the threads of the last side are asleep. */
const PAUSE_MILLIS = 300;

const options = readOptions({
  rounds: { type: 'string', default: '11' }, // measurements of each side
  warmup: { type: 'string', default: '2' }, // runs before them, not measured
  ours: { type: 'string', default: 'int8' }, // our formats
  forms: { type: 'string', default: 'int8,uint8,int4,fp32' }, // the rival's formats
  threads: { type: 'string', default: '1,2' },
});

const browser = await chromium.launch({
  executablePath: options.chromium,
  args: BROWSER_ARGS,
});
const session = await browser.newBrowserCDPSession();
const rivalServer = await serveRival(options.inputs);
const perThreads = (forms, make) =>
  options.threads.split(',').flatMap((threads) => forms.split(',').map((form) => make(form, +threads)));
const ours = perThreads(options.ours, (form, threads) => new Ours(form, threads, options));
const rivals = perThreads(options.forms, (form, threads) => new Rival(rivalServer, form, threads, options.inputs));
const sides = [...ours, ...rivals];
const notRun = [];

try {
  for (const side of [...sides]) await open(side);
  await measure();
  report();
} finally {
  for (const side of sides) side.close();
  rivalServer.close();
  await browser.close();
}

/** Opens a side and finds its process. A rival that does not start is reported and left out. */
async function open(side) {
  try {
    await side.open(await browser.newContext());
    await side.run(photo(0));
    side.process = await heaviestFreeRenderer();
    side.millis = [];
  } catch (error) {
    if (side instanceof Ours) throw error;
    sides.splice(sides.indexOf(side), 1);
    notRun.push(`${title(side)}: ${error.message.split('\n')[0]}`);
  }
}

async function measure() {
  for (let round = 0; round < +options.warmup + +options.rounds; round++) {
    for (const side of sides) {
      await pause(PAUSE_MILLIS);
      const millis = await side.run(photo(round + 1));
      if (round >= +options.warmup) side.millis.push(millis);
    }
  }
}

/** Returns the renderer process with the highest peak memory that no side has yet; undefined if the system does not say. */
async function heaviestFreeRenderer() {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const claimed = sides.map((side) => side.process);
  const free = processInfo.map(({ id }) => id).filter((id) => !claimed.includes(id));
  const renderers = processInfo.filter(({ id, type }) => type === 'renderer' && free.includes(id)).map(({ id }) => id);
  return renderers.sort((a, b) => (peakMib(b) ?? 0) - (peakMib(a) ?? 0))[0];
}

function peakMib(process) {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${process}/status`, 'utf8'))[1]) / 1024;
  } catch {
    return null;
  }
}

function photo(index) {
  const folder = join(options.inputs, 'photos');
  const names = readdirSync(folder).sort();
  return join(folder, names[index % names.length]);
}

function report() {
  const rows = sides.map(rowOf);
  const ratio = {};
  console.log('one photo through ViT-B/16 in the browser');
  for (const row of rows) console.log(`  ${lineOf(row)}`);
  for (const threads of new Set(ours.map((side) => side.threads))) {
    const fastest = (isWanted) =>
      rows.filter((row) => row.threads === threads && row.bits === 8 && isWanted(row.engine)).toSorted((a, b) => a.median_ms - b.median_ms)[0];
    const [own, rival] = [fastest((engine) => engine === 'dermake'), fastest((engine) => engine !== 'dermake')];
    if (!own || !rival) continue;
    ratio[threads] = rival.median_ms / own.median_ms;
    console.log(`  ratio ${ratio[threads].toFixed(2)} (8 bits, ${plural(threads)}: ${rival.engine} ${rival.form} over ours)`);
  }
  const results = { machine: machineWith(browser.version()), rows, ratio, not_run: notRun };
  writeFileSync(join(options.out, 'web.json'), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(options.out, 'web.svg'), picture(results));
  for (const reason of notRun) console.log(`not run: ${reason}`);
  console.log(`written: ${join(options.out, 'web.json')} and web.svg`);
  for (const row of rows) {
    if (row.cosine >= MIN_COSINE[row.bits]) continue; // false for NaN
    console.error(`error: ${title(row)}: cosine ${row.cosine}, expected at least ${MIN_COSINE[row.bits]}`);
    process.exitCode = 1;
  }
}

function rowOf(side) {
  return {
    engine: side.name,
    form: side.form,
    threads: side.threads,
    bits: side.bits,
    ...spread(side.millis),
    cosine: side.cosine,
    bytes: side.bytes,
    peak_mib: peakMib(side.process),
  };
}

function lineOf(row) {
  const [median, least, most] = [row.median_ms, row.min_ms, row.max_ms].map((millis) => millis.toFixed(0));
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
  const { weights, runtime, runtime_gzip } = row.bytes;
  const sizes = `weights ${megabytes(weights)} MB, program ${megabytes(runtime)} MB (gzip ${megabytes(runtime_gzip)})`;
  const peak = row.peak_mib === null ? '' : `, peak ${row.peak_mib.toFixed(0)} MiB`;
  const millis = `${median} ms (min ${least}, max ${most}, n ${row.n})`;
  return `${title(row).padEnd(33)} ${millis}, cosine ${row.cosine.toFixed(5)}, ${sizes}${peak}`;
}

function title({ engine, name = engine, form, threads }) {
  return `${name} ${form}, ${plural(threads)}`;
}

function plural(threads) {
  return threads === 1 ? '1 thread' : `${threads} threads`;
}
