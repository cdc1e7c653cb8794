/** The page as a visitor sees and uses it. */

import { expect, type Locator, type Page } from '@playwright/test';
import type { CommandLine, Prediction } from './dermake.ts';

export class DermakePage {
  constructor(
    readonly page: Page,
    private readonly commandLine: CommandLine,
  ) {}

  /** The same for another tab. */
  inTab(page: Page): DermakePage {
    return new DermakePage(page, this.commandLine);
  }

  async open(url: string): Promise<void> {
    await this.page.goto(url);
  }

  /** Opens the page and waits until the model is loaded. */
  async load(url: string): Promise<void> {
    await this.open(url);
    await this.waitUntilReady();
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.waitUntilReady();
  }

  find(testId: string): Locator {
    return this.page.getByTestId(testId);
  }

  /** Waits until the model is loaded and idle. */
  async waitUntilReady(): Promise<void> {
    await expect(this.find('status')).toHaveAttribute('data-phase', 'ready', { timeout: 120_000 });
  }

  /** Waits until the next visit works without a network. */
  async waitUntilOffline(): Promise<void> {
    await expect(this.find('status')).toHaveAttribute('data-offline', 'ready', { timeout: 60_000 });
  }

  async choosePhoto(path: string | { name: string; mimeType: string; buffer: Buffer }): Promise<void> {
    await this.find('photo-input').setInputFiles(path);
  }

  /** The crop that is shown: left, top and side, in pixels of the photo. */
  async crop(): Promise<number[]> {
    const crop = await this.find('crop-square').getAttribute('data-crop');
    return (crop ?? '').split(' ').map(Number);
  }

  async typeLabels(labels: string): Promise<void> {
    await this.find('labels-select').selectOption('custom');
    await this.find('own-labels').fill(labels);
    await this.find('apply-own-labels').click();
  }

  /** The ranked labels, once there are `count` of them and the model is idle. */
  async answers(count: number): Promise<Pick<Prediction, 'label' | 'probability'>[]> {
    const items = this.find('predictions').getByRole('listitem');
    await expect(items).toHaveCount(count, { timeout: 120_000 });
    await this.waitUntilReady();
    return items.evaluateAll((nodes) =>
      nodes.map((node) => ({
        label: node.getAttribute('data-label') ?? '',
        probability: Number(node.getAttribute('data-probability')),
      })),
    );
  }

  /** Chooses a photo once the model is loaded, and compares the answers with the command line's. */
  async expectToClassify(photo: string): Promise<void> {
    await this.waitUntilReady();
    await this.choosePhoto(photo);
    await this.expectAnswers(photo);
  }

  /**
   * Compares the answers with the command line's: labels in the same order, probabilities within 1e-3. All six of PAD's are
   * shown, and the first five of a longer list.
   */
  async expectAnswers(photo: string, labels = 'pad', count = labels === 'pad' ? 6 : 5): Promise<void> {
    const expected = await this.commandLine(photo, labels, count);
    await this.waitForAnswer(expected[0]);
    const answers = await this.answers(count);
    expect(answers.map(({ label }) => label)).toEqual(expected.map(({ label }) => label));
    answers.forEach(({ probability }, rank) => {
      expect(Math.abs(probability - expected[rank].probability)).toBeLessThan(1e-3);
    });
  }

  /**
   * Waits until the probabilities of the shown labels are the command line's within 1e-3. Labels of nearly the same
   * probability may be in either order.
   */
  async expectProbabilities(photo: string, labels = 'pad'): Promise<void> {
    const all = await this.commandLine(photo, labels, 200);
    const expected = new Map(all.map(({ label, probability }) => [label, probability]));
    const largestDifference = async () => {
      const answers = await this.find('predictions').getByRole('listitem').evaluateAll((nodes) =>
        nodes.map((node) => [node.getAttribute('data-label') ?? '', Number(node.getAttribute('data-probability'))] as const),
      );
      const differences = answers.map(([label, probability]) => Math.abs(probability - (expected.get(label) ?? 9)));
      return answers.length === 0 ? 9 : Math.max(...differences);
    };
    await expect.poll(largestDifference).toBeLessThan(1e-3);
    await this.waitUntilReady();
  }

  async expectNotice(text: RegExp): Promise<void> {
    await expect(this.find('notice')).toContainText(text, { timeout: 120_000 });
  }

  /** Waits for the most likely label: the answers of another photo or other labels may be shown until then. */
  private async waitForAnswer(expected: Prediction): Promise<void> {
    const first = this.find('predictions').getByRole('listitem').first();
    await expect(first).toHaveAttribute('data-label', expected.label, { timeout: 120_000 });
    await expect
      .poll(async () => Math.abs(Number(await first.getAttribute('data-probability')) - expected.probability))
      .toBeLessThan(1e-3);
  }
}
