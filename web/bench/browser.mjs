import { readFileSync } from 'node:fs';

/** How tests and benches start Chromium: without a GPU, and with nothing of its own on the network. */
export const BROWSER_ARGS = JSON.parse(readFileSync(new URL('../../.setup/chromium_flags.json', import.meta.url), 'utf8'));
