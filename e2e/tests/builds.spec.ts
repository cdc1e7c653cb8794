/** The worker's builds: each browser uses the best that it runs, and all give the same answers. */

import { createServer, type Server as HttpServer } from 'node:http';
import { join } from 'node:path';
import { samples } from '../support/dermake.ts';
import { expect, test } from '../support/test.ts';

const photo = join(samples, 'sample-2.jpg');

for (const [build, threads] of [
  ['plain', 1],
  ['relaxed', 1],
  ['threads', 2],
  ['threads_relaxed', 2],
] as const) {
  test(`the build "${build}" gives the answers of the command line`, async ({ page, dermake, server }) => {
    await dermake.load(`${server.url}?build=${build}&threads=${threads}`);
    await expect(page.locator('html')).toHaveAttribute('data-build', build);
    await expect(dermake.find('status')).toHaveAttribute('data-threads', String(threads));
    await dermake.expectToClassify(photo);
    const labels = 'melanoma, psoriasis';
    await dermake.typeLabels(labels);
    await dermake.expectAnswers(photo, labels, 2);
  });
}

test('an isolated page uses threads and relaxed SIMD', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  await expect(page.locator('html')).toHaveAttribute('data-build', 'threads_relaxed');
});

test('without the headers that threads need, a build without threads is used', async ({ page, dermake, server }) => {
  const plain = await withoutHeaders(server.url);
  try {
    await dermake.load(plain.url);
    await expect(page.locator('html')).toHaveAttribute('data-build', 'relaxed');
    await dermake.expectToClassify(photo);
  } finally {
    plain.server.close();
  }
});

test('the page of a first `just demo`, which has one build, uses that', async ({ page, dermake, server }) => {
  await page.route(server.url, async (route) => {
    const response = await route.fetch();
    const body = await response.text();
    const builds = /name="builds" content="[^"]+"/;
    expect(body).toMatch(builds);
    await route.fulfill({ response, body: body.replace(builds, 'name="builds" content="plain"') });
  });
  await dermake.load(server.url);
  await expect(page.locator('html')).toHaveAttribute('data-builds', 'plain');
  await expect(page.locator('html')).toHaveAttribute('data-build', 'plain');
  await dermake.expectToClassify(photo);
});

/** A static host: sends the same files with their media types and no other headers. */
async function withoutHeaders(url: string): Promise<{ url: string; server: HttpServer }> {
  const server = createServer(async (request, response) => {
    const original = await fetch(new URL(request.url ?? '/', url));
    response.writeHead(original.status, { 'Content-Type': original.headers.get('content-type') ?? 'text/plain' });
    response.end(Buffer.from(await original.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port');
  return { url: `http://127.0.0.1:${address.port}/`, server };
}
