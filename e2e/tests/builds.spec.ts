/** The worker's builds: each browser takes the best it runs, and all give the same answers. */

import { createServer, type Server as HttpServer } from 'node:http';
import { expect, test } from '@playwright/test';
import { classify, demoModel, samples, Server } from '../support/dermake.js';
import { DermakePage, expectSameAnswers } from '../support/page.js';
import { join } from 'node:path';

const photo = join(samples, 'sample-2.jpg');
let model: string;
let server: Server;

test.beforeAll(async () => {
  model = await demoModel();
  server = await Server.start([model]);
});
test.afterAll(() => server.stop());

for (const [build, threads] of [
  ['plain', 1],
  ['relaxed', 1],
  ['threads', 2],
  ['threads_relaxed', 2],
] as const) {
  test(`the build "${build}" answers as the command line does`, async ({ page }) => {
    const dermake = new DermakePage(page);
    await dermake.open(`${server.url}?build=${build}&threads=${threads}`);
    await dermake.waitUntilReady();
    await expect(page.locator('html')).toHaveAttribute('data-build', build);
    await expect(dermake.find('status')).toHaveAttribute('data-threads', String(threads));
    await dermake.choosePhoto(photo);
    expectSameAnswers(await dermake.answers(5), await classify(model, photo, 'pad'));
    await dermake.typeLabels('melanoma, psoriasis');
    expectSameAnswers(await dermake.answers(2), await classify(model, photo, 'melanoma, psoriasis', 2));
  });
}

test('an isolated page gets threads and relaxed SIMD by itself', async ({ page }) => {
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.waitUntilReady();
  await expect(page.locator('html')).toHaveAttribute('data-build', 'threads_relaxed');
});

test('a host that sends no headers gets a build without threads', async ({ page }) => {
  const plain = await withoutHeaders(server.url);
  try {
    const dermake = new DermakePage(page);
    await dermake.open(plain.url);
    await dermake.waitUntilReady();
    await expect(page.locator('html')).toHaveAttribute('data-build', 'relaxed');
    await dermake.choosePhoto(photo);
    expectSameAnswers(await dermake.answers(5), await classify(model, photo, 'pad'));
  } finally {
    plain.server.close();
  }
});

/** What a static host would send: the same files with their types, and nothing else. */
async function withoutHeaders(url: string): Promise<{ url: string; server: HttpServer }> {
  const server = createServer(async (request, response) => {
    const answer = await fetch(new URL(request.url ?? '/', url));
    response.writeHead(answer.status, { 'Content-Type': answer.headers.get('content-type') ?? 'text/plain' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on no port');
  return { url: `http://127.0.0.1:${address.port}/`, server };
}
