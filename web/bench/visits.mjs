/** The pages to visit: ours, and one with onnxruntime-web as a careful developer would write it. */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { serveOurs, serveRival } from './sides.mjs';

const ANSWER_MILLIS = 600_000;

export class OurVisit {
  constructor(options, form, name = 'dermake') {
    Object.assign(this, { options, form, name });
  }

  async serve() {
    const { url, close } = await serveOurs(this.options);
    this.close = close;
    return url;
  }

  async open(page, url) {
    await page.goto(url);
  }

  async answer(page) {
    const answers = page.getByTestId('predictions').getByRole('listitem');
    const notice = page.getByTestId('notice');
    await answers.or(notice).first().waitFor({ timeout: ANSWER_MILLIS });
    if (await notice.count()) throw new Error(`our page shows: ${await notice.textContent()}`);
  }

  /** Waits until the next visit downloads no weights. */
  async stored(page) {
    await page.locator('[data-testid=status][data-offline=ready]').waitFor({ timeout: ANSWER_MILLIS });
  }

  get weightsBytes() {
    const files = ['vision.safetensors', 'classifiers.safetensors'];
    return files.reduce((sum, file) => sum + statSync(join(this.options.models, file)).size, 0);
  }
}

export class RivalVisit {
  name = 'onnxruntime-web';

  constructor(options, form) {
    Object.assign(this, { options, form });
  }

  async serve() {
    const { url, close } = await serveRival(this.options.inputs);
    this.close = close;
    return url;
  }

  async open(page, url) {
    await page.goto(`${url}rival_visit.html?form=${this.form}`);
  }

  async answer(page) {
    await this.#output(page, 'answer');
  }

  async stored(page) {
    await this.#output(page, 'stored');
  }

  async #output(page, what) {
    await page.locator(`output[data-${what}], output[data-error]`).waitFor({ state: 'attached', timeout: ANSWER_MILLIS });
    const error = await page.locator('output').getAttribute('data-error');
    if (error !== null) throw new Error(`the rival's page shows: ${error}`);
  }

  get weightsBytes() {
    return statSync(join(this.options.inputs, `${this.form}.onnx`)).size;
  }
}
