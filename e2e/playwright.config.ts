import { existsSync, readFileSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

// The system's Chromium; no browser is downloaded. `just test-e2e` sets CHROMIUM.
const executablePath = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path && existsSync(path));
if (!executablePath) {
  throw new Error('no Chromium found: run `just setup`, or set CHROMIUM to its path');
}

/** The benchmarks start Chromium with the same flags. */
const chromiumFlags: string[] = JSON.parse(
  readFileSync(new URL('../.setup/chromium_flags.json', import.meta.url), 'utf8'),
);

export default defineConfig({
  testDir: 'tests',
  // Every test runs a real model on the CPU, so more would only wait for each other. The fixtures share their servers
  // among all tests of a worker.
  workers: 2,
  retries: 0,
  forbidOnly: !!process.env.CI,
  reporter: 'list',
  // The slowest test takes one minute on two cores; machines may be four times slower.
  timeout: 5 * 60_000,
  expect: { timeout: 60_000 },
  use: {
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath,
      args: chromiumFlags,
    },
  },
});
