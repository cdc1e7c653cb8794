/** What the benchmarks of the page share: their options, the machine, and the statistics of repeated times. */

import { arch, cpus, platform, release } from 'node:os';
import { parseArgs } from 'node:util';

const SHARED_OPTIONS = {
  dermake: { type: 'string' }, // the built program
  app: { type: 'string' }, // the built page
  models: { type: 'string' }, // a folder with a model of `dermake quantize` for each of our formats
  inputs: { type: 'string' }, // of export.py, from the same checkpoint
  out: { type: 'string' },
  chromium: { type: 'string' },
};

/** Reads the options of the command line: the shared ones, which are required, and those of the benchmark itself. */
export function readOptions(ownOptions) {
  const { values } = parseArgs({ options: { ...SHARED_OPTIONS, ...ownOptions } });
  const missing = Object.keys(SHARED_OPTIONS).filter((name) => !values[name]);
  if (missing.length > 0) throw new Error(`missing options: ${missing.map((name) => `--${name}`).join(' ')}`);
  return values;
}

/** Describes the machine and the browser of the measurements. */
export function machineWith(browserVersion) {
  return {
    cpu: cpus()[0]?.model.trim() ?? arch(),
    cores: cpus().length,
    system: `${platform()} ${release()}`,
    browser: `Chromium ${browserVersion}`,
  };
}

/** Returns median, minimum, maximum and number of times in milliseconds. */
export function spread(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return {
    median_ms: (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2,
    min_ms: sorted[0],
    max_ms: sorted.at(-1),
    n: sorted.length,
  };
}
