/** Simulates drops and pastes. */

import type { Page } from '@playwright/test';
import { basename } from 'node:path';
import { readFileSync } from 'node:fs';

/** The content of a drop or a paste: paths of files, and text by media type. */
export interface Content {
  files?: string[];
  text?: Record<string, string>;
}

const mediaTypes: Record<string, string> = { jpg: 'image/jpeg', png: 'image/png', txt: 'text/plain', webp: 'image/webp' };

/** Dispatches a drop or paste event on an element; returns whether the page prevented the browser's default action. */
export async function dispatch(page: Page, kind: 'drop' | 'paste', selector: string, { files = [], text = {} }: Content) {
  const contents = files.map((path) => ({
    name: basename(path),
    type: mediaTypes[path.split('.').pop()!] ?? '',
    base64: readFileSync(path).toString('base64'),
  }));
  return page.locator(selector).evaluate(
    (element, { kind, contents, text }) => {
      const data = new DataTransfer();
      for (const { name, type, base64 } of contents) {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        data.items.add(new File([bytes], name, { type }));
      }
      for (const [type, content] of Object.entries(text)) data.setData(type, content);
      const options = { bubbles: true, cancelable: true, composed: true };
      const event =
        kind === 'drop'
          ? new DragEvent('drop', { ...options, dataTransfer: data })
          : new ClipboardEvent('paste', { ...options, clipboardData: data });
      element.dispatchEvent(event);
      return event.defaultPrevented;
    },
    { kind, contents, text },
  );
}

/** Drags files or folders over the page and drops them, as a file manager does. */
export async function dropFromDisk(page: Page, paths: string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, x: 40, y: 300, data });
  }
}

/** Copies text, HTML and a picture together, as spreadsheets do, and pastes them into the focused element. */
export async function pasteTableCells(page: Page, text: string): Promise<void> {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.evaluate(async (text) => {
    const canvas = new OffscreenCanvas(60, 20);
    canvas.getContext('2d')!.fillRect(0, 0, 30, 20);
    const html = new Blob([`<table><tr><td>${text}</td></tr></table>`], { type: 'text/html' });
    const plain = new Blob([text], { type: 'text/plain' });
    const picture = await canvas.convertToBlob({ type: 'image/png' });
    await navigator.clipboard.write([
      new ClipboardItem({ 'text/plain': plain, 'text/html': html, 'image/png': picture }),
    ]);
  }, text);
  await page.keyboard.press('ControlOrMeta+V');
}
