/** The JavaScript package in Node.js: the answers of the page and of the command line, from the same program. */

import { execFile } from 'node:child_process';
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { inPage, photo, test, told } from '../support/package_page.ts';
import { expect } from '../support/test.ts';

const run = promisify(execFile);

/** Runs code in Node.js, beside the installed package. `photo` is the path of a photo; what it returns comes back as JSON. */
async function inNode<T>(folder: string, code: string, imported = 'dermake'): Promise<T> {
  const script = join(folder, 'script.mjs');
  writeFileSync(
    script,
    `import { readFileSync } from 'node:fs';
    import * as dermake from ${JSON.stringify(imported)};
    const photo = ${JSON.stringify(photo)}, bytes = readFileSync(photo);
    const work = async () => { ${code} };
    console.log(JSON.stringify(await work(), (_, value) => (value instanceof Float32Array ? [...value] : value)));`,
  );
  const { stdout } = await run(process.execPath, [script], { cwd: folder, timeout: 120_000 });
  return JSON.parse(stdout);
}

/** What the page and Node.js compute, both with the build that every browser and every Node.js runs. */
const computed = `const model = await dermake.load(place, { engine: "plain" });
  const concepts = await model.annotate(bytes, { topK: 3 });
  return { pad: await model.classify(bytes), own: await model.classify(bytes, { labels: ["nevus", "melanoma"] }), concepts,
    image: [...await model.embed(bytes)], text: [...await model.embedText("a wheal on the arm")], name: model.name };`;

test('Node.js answers as the page does, to the bit, and as the command line', async ({ page, host, installed, commandLine }) => {
  const inBrowser = await inPage<any>(page, host, `const place = models + "demo/"; ${computed}`);
  const here = await inNode<any>(installed.folder, `const place = "models/demo"; ${computed}`);
  expect(here).toEqual(inBrowser);
  const expected = await commandLine(photo, 'pad', 5);
  expect(here.pad.map(({ label }: any) => label)).toEqual(expected.map(({ label }) => label));
  here.pad.forEach(({ probability }: any, at: number) => expect(probability).toBeCloseTo(expected[at].probability, 3));
});

test('the best build of this Node.js starts, and the script ends by itself', async ({ installed }) => {
  const { engine, threads, answers } = await inNode<any>(
    installed.folder,
    `const model = await dermake.load("models/demo/");
    return { engine: model.engine, threads: model.threads, answers: await model.classify(photo) };`,
  );
  const hasThreads = Number(process.versions.node.split('.')[0]) >= 22;
  expect([engine.startsWith('threads'), threads > 1]).toEqual([hasThreads, hasThreads]);
  expect(answers).toHaveLength(5);
});

test('the example prints the answers of the command line', async ({ installed, commandLine }) => {
  const { stdout } = await run(process.execPath, ['node.mjs', photo], { cwd: installed.folder });
  const expected = await commandLine(photo, 'pad', 3);
  expect(stdout.split('\n').slice(0, 3)).toEqual(expected.map(({ label, probability }) => `${(100 * probability).toFixed(1)} % ${label}`));
});

test('photos and models come in several forms', async ({ host, installed }) => {
  cpSync(photo, join(installed.folder, 'a photo.jpg'));
  const forms = await inNode<any>(
    installed.folder,
    `const model = await dermake.load("models/demo", { engine: "plain" });
    const address = ${JSON.stringify(host.url)};
    const fetched = await dermake.load(address + "models/demo/", { engine: "plain" });
    const forms = { path: "a photo.jpg", url: new URL(${JSON.stringify(pathToFileURL(photo).href)}), address: address + "a%20photo.jpg",
      buffer: bytes, array: new Uint8Array(bytes), arrayBuffer: new Uint8Array(bytes).buffer, blob: new Blob([bytes]), file: new File([bytes], "a") };
    const answers = { model: await fetched.classify(photo) };
    for (const [form, image] of Object.entries(forms)) answers[form] = await model.classify(image);
    return answers;`,
  );
  for (const [form, answers] of Object.entries(forms)) expect(answers, form).toEqual(forms.path);
  expect(Object.keys(forms)).toHaveLength(9);
});

test('wrong use in Node.js gets a sentence and a code', async ({ installed }) => {
  const { folder } = installed;
  cpSync(join(folder, 'models/demo'), join(folder, 'models/damaged'), { recursive: true });
  const weights = join(folder, 'models/damaged/vision.safetensors');
  writeFileSync(weights, readFileSync(weights).map((byte) => byte ^ 1));
  writeFileSync(join(folder, 'text.jpg'), 'text');
  const result = await inNode<any>(
    folder,
    `${told}
    const model = await dermake.load("models/demo", { engine: "plain" });
    return {
      model: await told(dermake.load("models/none")),
      nothing: await told(dermake.load("")),
      damaged: await told(dermake.load("models/damaged", { engine: "plain" })),
      host: await told(dermake.load("http://127.0.0.1:9/models/")),
      engine: await told(dermake.load("models/demo", { engine: "fast" })),
      workers: await told(dermake.load("models/demo", { workers: "nowhere", engine: "plain" })),
      photo: await told(model.classify("none.jpg")),
      folder: await told(model.classify("models")),
      text: await told(model.classify("text.jpg")),
      address: await told(model.classify("http://127.0.0.1:9/a.jpg")),
      object: await told(model.classify({ path: photo })),
      scheme: await told(model.classify("https://")),
      empty: await told(model.classify("")),
      thrown: await told(model.classify(photo, { labels: ["x", "y"], onProgress: () => { throw new RangeError("mine"); } })),
      thrownAtOnce: await told(dermake.load("models/demo", { onProgress: () => { throw new RangeError("mine"); } })),
      twice: await told(model.classify(photo, { labels: ["a", "A"] })),
      outside: await told(model.classify(photo, { crop: { left: 0, top: 0, side: 5000 } })),
      answers: (await model.classify(photo)).length,
    };`,
  );
  const expected: Record<string, [string, RegExp]> = {
    model: ['no_model', /no model at .*models.none.manifest\.json; `dermake quantize/],
    nothing: ['invalid_argument', /^url: expected/],
    damaged: ['damaged', /vision\.safetensors/],
    host: ['unreachable', /manifest\.json/],
    engine: ['invalid_argument', /expected auto, .*found "fast"/],
    workers: ['worker_not_started', /there is no file .*nowhere.plain\.js; the option workers names/],
    twice: ['invalid_argument', /"a" and "A"/],
    outside: ['invalid_argument', /the photo's \d+ x \d+ pixels/],
    photo: ['invalid_argument', /there is no file .*none\.jpg/],
    folder: ['invalid_argument', /models is a folder, not a photo/],
    text: ['not_an_image', /not an image/],
    address: ['invalid_argument', /127\.0\.0\.1:9\/a\.jpg cannot be fetched/],
    object: ['invalid_argument', /expected a path, .*found Object/],
    scheme: ['invalid_argument', /^image: expected a path or an address, found "https:/],
    empty: ['invalid_argument', /^image: expected a path or an address, found ""/],
  };
  for (const [name, [code, message]] of Object.entries(expected)) {
    expect(result[name], name).toMatchObject({ name: 'DermakeError', code });
    expect(result[name].message, name).toMatch(message);
  }
  for (const name of ['thrown', 'thrownAtOnce']) expect(result[name], name).toMatchObject({ name: 'RangeError', message: 'mine' });
  expect(result.answers).toBe(5);
});

test('a bundler that has packed the package is told to leave it out', async ({ installed }) => {
  const { folder } = installed;
  const packed = join(folder, 'node_modules/packed');
  cpSync(join(folder, 'node_modules/dermake'), packed, { recursive: true });
  const load = (options: string) => `${told} return told(dermake.load("models/demo", { engine: "plain"${options} }));`;
  rmSync(join(packed, 'node_thread.js'));
  const withoutThread = await inNode<any>(folder, load(', workers: "node_modules/dermake/worker"'), 'packed');
  rmSync(join(packed, 'worker'), { recursive: true });
  const withoutFiles = await inNode<any>(folder, load(''), 'packed');
  // As esbuild writes it for CommonJS.
  const builds = readFileSync(join(packed, 'builds.js'), 'utf8');
  writeFileSync(join(packed, 'builds.js'), builds.replaceAll('import.meta.url', 'undefined'));
  for (const error of [withoutThread, withoutFiles, await inNode<any>(folder, load(''), 'packed')]) {
    expect(error).toMatchObject({ name: 'DermakeError', code: 'worker_not_started' });
    expect(error.message).toMatch(/leave it out of the bundle \(Next\.js: serverExternalPackages/);
  }
});

test('a damaged installation and an old Node.js get a sentence', async ({ installed }) => {
  const { folder } = installed;
  cpSync(join(folder, 'node_modules/dermake'), join(folder, 'node_modules/damaged'), { recursive: true });
  truncateSync(join(folder, 'node_modules/damaged/worker/plain.wasm'), 1_000_000);
  const load = `${told} return told(dermake.load("models/demo", { engine: "plain" }));`;
  const damaged = await inNode<any>(folder, load, 'damaged');
  expect(damaged.code).toBe('worker_not_started');
  expect(damaged.message).toMatch(/could not start \(.*WebAssembly.*\)/);
  const old = await inNode<any>(folder, `Object.defineProperty(process.versions, "node", { value: "18.20.0" }); ${load}`);
  expect(old).toMatchObject({ code: 'unsupported_node', message: expect.stringMatching(/^Node\.js 20 or newer is needed/) });
});

test('a server that renders pages can import the element', async ({ installed }) => {
  expect(await inNode(installed.folder, 'return Object.keys(dermake);', 'dermake/element')).toEqual(['DermakeClassifier']);
});
