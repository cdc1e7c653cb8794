/** What the benches of the page have in common: their options, the machine, and the figures of repeated times. */

import { arch, cpus, platform, release } from 'node:os';
import { parseArgs } from 'node:util';

const SHARED_OPTIONS = {
  dermake: { type: 'string' }, // the program, built
  app: { type: 'string' }, // the page, built
  models: { type: 'string' }, // a folder with one from `dermake quantize` for each form of ours
  inputs: { type: 'string' }, // from export.py, of the same checkpoint
  out: { type: 'string' },
  chromium: { type: 'string' },
};

/** The options of the command line: the shared ones, which must be given, and those of the bench itself. */
export function readOptions(ownOptions) {
  const { values } = parseArgs({ options: { ...SHARED_OPTIONS, ...ownOptions } });
  const missing = Object.keys(SHARED_OPTIONS).filter((name) => !values[name]);
  if (missing.length > 0) throw new Error(`wanted: ${missing.map((name) => `--${name}`).join(' ')}`);
  return values;
}

/** What the figures were measured on. */
export function machineWith(browserVersion) {
  return {
    cpu: cpus()[0]?.model.trim() ?? arch(),
    cores: cpus().length,
    system: `${platform()} ${release()}`,
    browser: `Chromium ${browserVersion}`,
  };
}

/** Median, least, most and number of times in milliseconds. */
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
