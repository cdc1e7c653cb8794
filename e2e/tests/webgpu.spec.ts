/** The visitor's GPU: here SwiftShader, Chromium's for machines without one. Whatever it does, the page answers. */

import { join } from 'node:path';
import config from '../playwright.config.ts';
import { samples } from '../support/dermake.ts';
import { expect, test, type Page } from '../support/test.ts';
import type { TestProxy } from '../support/test_proxy.ts';

const { launchOptions } = config.use!;
test.use({ launchOptions: { ...launchOptions, args: [...launchOptions!.args!, '--enable-unsafe-webgpu'] } });

const photo = join(samples, 'sample-2.jpg');
const other = join(samples, 'sample-1.jpg');
const LOADER = /_loader\.js/;

/** Runs a script in the worker before its program. */
function runFirst(testProxy: TestProxy, script: string): void {
  testProxy.replace = (path) => {
    if (!LOADER.test(path) || path.includes('original')) return undefined;
    const headers = { 'Content-Type': 'text/javascript', 'Cross-Origin-Embedder-Policy': 'require-corp' };
    const body = `${script}\nimportScripts(location.href.split('?')[0] + '?original');`;
    return { status: 200, headers, body };
  };
}

/** Runs a script in the worker that has the model. */
async function runInWorker(page: Page, script: string): Promise<void> {
  const worker = page.workers().find((worker) => LOADER.test(worker.url()));
  await worker!.evaluate(script);
}

test('the GPU gives the answers of the command line', async ({ dermake, server }) => {
  await dermake.load(`${server.url}?engine=webgpu`);
  for (const picture of [photo, other]) {
    await dermake.choosePhoto(picture);
    await dermake.expectAnswers(picture);
    await expect(dermake.find('answered-by')).toHaveAttribute('data-engine', 'webgpu');
    await expect(dermake.find('answered-by')).toContainText("on this device's GPU");
  }
  await dermake.typeLabels('a brown spot, a scaly plaque');
  await dermake.expectAnswers(other, 'a brown spot, a scaly plaque', 2);
});

test('an emulated GPU is not used unless the address requests it', async ({ dermake, server }) => {
  for (const query of ['', '?engine=wasm']) {
    await dermake.load(`${server.url}${query}`);
    for (const picture of [photo, other]) {
      await dermake.choosePhoto(picture);
      await dermake.expectAnswers(picture);
      await expect(dermake.find('answered-by')).toHaveAttribute('data-engine', 'wasm');
      await expect(dermake.find('answered-by')).not.toContainText('GPU');
    }
  }
});

const failures: [what: string, script: string, sentence: RegExp][] = [
  ['no adapter', 'GPU.prototype.requestAdapter = async () => null;', /The browser offers no GPU\./],
  [
    'a device that is refused',
    "GPUAdapter.prototype.requestDevice = async () => { throw new Error('the driver is blocked'); };",
    /The GPU is not used, because the driver is blocked\./,
  ],
  [
    'a kernel that does not compile',
    `const create = GPUDevice.prototype.createShaderModule;
     GPUDevice.prototype.createShaderModule = function (descriptor) {
       return create.call(this, { ...descriptor, code: 'fn main() { nonsense }' });
     };`,
    /The GPU is not used, because its driver does not compile weight_sums: /,
  ],
  [
    'no memory',
    `const create = GPUDevice.prototype.createBuffer;
     GPUDevice.prototype.createBuffer = function (descriptor) {
       return create.call(this, { ...descriptor, size: descriptor.size > 10_000 ? 2 ** 50 : descriptor.size });
     };`,
    /The GPU is not used, because /,
  ],
  [
    'limits that are too small',
    "Object.defineProperty(GPUSupportedLimits.prototype, 'maxStorageBufferBindingSize', { get: () => 1000 });",
    /The GPU is not used, because it is too small: \d+ bytes, a buffer holds 1000\./,
  ],
  [
    'weights that arrive wrong',
    `const write = GPUQueue.prototype.writeBuffer;
     GPUQueue.prototype.writeBuffer = function (buffer, offset, bytes) {
       write.call(this, buffer, offset, bytes.length === 49152 ? new Uint8Array(bytes.length) : bytes);
     };`,
    /The GPU is not used, because it computes another answer than the processor \(a cosine of [-0-9.]+\)\./,
  ],
];

for (const [what, script, sentence] of failures) {
  test(`${what}: the processor answers, and the page says why`, async ({ dermake, testProxy }) => {
    runFirst(testProxy, script);
    await dermake.load(`${testProxy.url}?engine=webgpu`);
    await dermake.choosePhoto(photo);
    await dermake.expectAnswers(photo);
    await expect(dermake.find('answered-by')).toHaveAttribute('data-engine', 'wasm');
    await expect(dermake.find('answered-by')).toContainText(sentence);
  });
}

test('a GPU that is lost in the middle of a photo: the processor answers that photo', async ({ page, dermake, testProxy }) => {
  runFirst(
    testProxy,
    `const request = GPUAdapter.prototype.requestDevice;
     GPUAdapter.prototype.requestDevice = async function () { return (globalThis.device = await request.call(this)); };`,
  );
  await dermake.load(`${testProxy.url}?engine=webgpu`);
  await dermake.choosePhoto(photo);
  await dermake.expectAnswers(photo);
  await expect(dermake.find('answered-by')).toHaveAttribute('data-engine', 'webgpu');
  await runInWorker(
    page,
    `const submit = GPUQueue.prototype.submit;
     GPUQueue.prototype.submit = function (commands) { submit.call(this, commands); device.destroy(); };`,
  );
  await dermake.choosePhoto(other);
  await dermake.expectAnswers(other);
  await expect(dermake.find('answered-by')).toHaveAttribute('data-engine', 'wasm');
  await expect(dermake.find('answered-by')).toContainText(/The GPU is not used, because it was lost/);
});
