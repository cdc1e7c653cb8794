/** The JavaScript package on a host that only serves files, and a page of one's own that imports it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { demoModel, samples } from './dermake.ts';
import { FileHost } from './file_host.ts';
import { InstalledPackage } from './package.ts';
import { test as base, type Page } from './test.ts';

export const photo = join(samples, 'sample-2.jpg');

export const test = base.extend<{ host: FileHost }, { installed: InstalledPackage }>({
  installed: [
    async ({}, use) => {
      const installed = await InstalledPackage.beside(await demoModel());
      await use(installed);
      installed.remove();
    },
    { scope: 'worker' },
  ],
  host: async ({ installed }, use) => {
    const host = await FileHost.of(installed.folder, 'my/site');
    await use(host);
    await host.close();
  },
});

/** Runs code in an empty page that has imported the package as `dermake`, and the bytes of a photo as `bytes`. */
export async function inPage<T>(page: Page, host: FileHost, code: string): Promise<T> {
  await page.goto(`${host.url}models/demo/manifest.json`);
  const bytes = [...readFileSync(photo)];
  const body = `const dermake = await import(${JSON.stringify(`${host.url}node_modules/dermake/index.js`)});
    const models = ${JSON.stringify(`${host.url}models/`)}; const bytes = new Uint8Array(given); ${code}`;
  return page.evaluate(
    ([body, given]) => new (Object.getPrototypeOf(async () => {}).constructor)('given', body)(given),
    [body, bytes] as const,
  );
}

/** A function of the code that gives what is told of an error. */
export const told = 'const told = (work) => work.then(() => "no error", ({ name, code, message }) => ({ name, code, message }));';
