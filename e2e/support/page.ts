/** The page by what a visitor sees and does. */

import { expect, type Locator, type Page } from '@playwright/test';
import type { Prediction } from './dermake.js';

export class DermakePage {
  constructor(readonly page: Page) {}

  async open(url: string): Promise<void> {
    await this.page.goto(url);
  }

  find(testId: string): Locator {
    return this.page.getByTestId(testId);
  }

  /** Waits until the model is ready to answer. */
  async waitUntilReady(): Promise<void> {
    await expect(this.find('status')).toHaveAttribute('data-phase', 'ready', { timeout: 120_000 });
  }

  async choosePhoto(path: string | { name: string; mimeType: string; buffer: Buffer }): Promise<void> {
    await this.find('photo-input').setInputFiles(path);
  }

  async typeLabels(labels: string): Promise<void> {
    await this.find('labels-select').selectOption('custom');
    await this.find('own-labels').fill(labels);
    await this.find('apply-own-labels').click();
  }

  /** The ranked answers, once there are `count` of them and nothing is being computed. */
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

  /** Waits until the likeliest label is this one, with this probability to three digits. */
  async expectAnswer(likeliest: Prediction): Promise<void> {
    const first = this.find('predictions').getByRole('listitem').first();
    await expect(first).toHaveAttribute('data-label', likeliest.label, { timeout: 60_000 });
    await expect
      .poll(async () => Math.abs(Number(await first.getAttribute('data-probability')) - likeliest.probability))
      .toBeLessThan(1e-3);
  }

  async expectNotice(text: RegExp): Promise<void> {
    await expect(this.find('notice')).toContainText(text, { timeout: 120_000 });
  }
}

/** Labels in the same order, probabilities within 1e-3. */
export function expectSameAnswers(
  page: Pick<Prediction, 'label' | 'probability'>[],
  commandLine: Prediction[],
): void {
  expect(page.map((answer) => answer.label)).toEqual(commandLine.map((answer) => answer.label));
  page.forEach((answer, rank) => {
    expect(Math.abs(answer.probability - commandLine[rank].probability)).toBeLessThan(1e-3);
  });
}
