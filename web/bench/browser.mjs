import { readFileSync } from 'node:fs';

/** Flags of Chromium in tests and benchmarks: no GPU, and no network traffic of its own. */
export const BROWSER_ARGS = JSON.parse(readFileSync(new URL('../../.setup/chromium_flags.json', import.meta.url), 'utf8'));
