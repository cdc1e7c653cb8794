/** Where the JavaScript package finds its files and a model: addresses of bundlers, and models on other origins. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Server } from '../support/dermake.ts';
import { inPage, photo, test, told } from '../support/package_page.ts';
import { expect } from '../support/test.ts';

/** As Turbopack writes `new URL(…, import.meta.url)`: an object whose address is a path, without an origin. */
const relativeUrl = (folder: string) => `
  function RelativeUrl(path) {
    const address = ${JSON.stringify(folder)} + path.replace("./", "");
    const real = new URL(address, "x:/"), values = {};
    for (const name in real) values[name] = real[name];
    Object.assign(values, { href: address, pathname: address, origin: "", protocol: "", toString: () => address });
    for (const name in values) Object.defineProperty(this, name, { enumerable: true, configurable: true, value: values[name] });
  }
  RelativeUrl.prototype = URL.prototype;
`;

test('files that a bundler names by paths of the host are found', async ({ page, host, installed, commandLine }) => {
  const builds = readFileSync(join(installed.folder, 'node_modules/dermake/builds.js'), 'utf8');
  const written = builds.replace(/new URL\((".*?"), import\.meta\.url\)/g, 'new RelativeUrl($1)');
  expect(written).not.toContain('import.meta');
  const folder = new URL(`${host.url}node_modules/dermake/`).pathname;
  await page.route('**/builds.js', (route) => route.fulfill({ contentType: 'text/javascript', body: relativeUrl(folder) + written }));
  const answers = await inPage<any[]>(
    page,
    host,
    `const model = await dermake.load(models + "demo/", { threads: 1 });
    return model.classify(bytes, { topK: 1 });`,
  );
  const [expected] = await commandLine(photo, 'pad', 1);
  expect(answers[0].label).toBe(expected.label);
});

test('a model of `dermake serve` on another origin is loaded where the server names the page', async ({ page, host, model, commandLine }) => {
  const named = await Server.start([model], ['--cors-origin', new URL(host.url).origin]);
  const closed = await Server.start([model]);
  const [{ manifest }] = await (await fetch(`${named.url}models`)).json();
  const loaded = (server: Server) => JSON.stringify(new URL(manifest, server.url).href);
  const result = await inPage<any>(
    page,
    host,
    `${told}
    const model = await dermake.load(${loaded(named)});
    return {
      known: await model.classify(bytes, { topK: 2 }),
      own: await model.classify(bytes, { labels: ["nevus", "melanoma"] }),
      closed: await told(dermake.load(${loaded(closed)})),
    };`,
  );
  await Promise.all([named.stop(), closed.stop()]);
  const labels = (answers: { label: string }[]) => answers.map(({ label }) => label);
  expect(labels(result.known)).toEqual(labels(await commandLine(photo, 'pad', 2)));
  expect(labels(result.own)).toEqual(labels(await commandLine(photo, '["nevus", "melanoma"]', 2)));
  expect(result.closed).toMatchObject({ name: 'DermakeError', code: 'unreachable' });
});
