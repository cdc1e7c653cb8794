/** Pictures that a test draws: PNG files, so that a crop of one has exactly its pixels. */

import type { Page } from '@playwright/test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A part of the picture, and how it is changed. */
export interface Drawing {
  /** Left, top, width and height, in pixels of a picture of 400 x 300. */
  part?: [number, number, number, number];
  /** A filter of CSS. */
  filter?: string;
}

export class Pictures {
  private readonly folder = mkdtempSync(join(tmpdir(), 'dermake-e2e-'));
  private count = 0;

  constructor(private readonly page: Page) {}

  /** Draws the page's second sample with 400 x 300 pixels; returns the path of the PNG. */
  async draw({ part = [0, 0, 400, 300], filter = 'none' }: Drawing = {}): Promise<string> {
    const base64 = await this.page.evaluate(
      async ({ part: [left, top, width, height], filter }) => {
        const response = await fetch('samples/sample-2.jpg');
        const sample = await createImageBitmap(await response.blob());
        const whole = new OffscreenCanvas(400, 300);
        const context = whole.getContext('2d')!;
        context.filter = filter;
        context.drawImage(sample, 0, 0, 400, 300);
        const canvas = new OffscreenCanvas(width, height);
        canvas.getContext('2d')!.drawImage(whole, -left, -top);
        const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer());
        return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
      },
      { part, filter },
    );
    const path = join(this.folder, `picture-${++this.count}.png`);
    writeFileSync(path, Buffer.from(base64, 'base64'));
    return path;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
