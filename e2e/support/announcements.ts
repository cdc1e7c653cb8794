/**
 * What a screen reader says by itself while the page changes: the texts that come into live regions, by the rules of
 * WAI-ARIA 1.2. A status is read as a whole, also where only a part of it changes; of another live region, only what comes
 * into it, once it is not busy. An alert is read when it appears; a status that appears with its text is not.
 */

import { expect, type Page } from '@playwright/test';

interface Heard {
  said: string[];
  unsaid: string[];
}

export class Announcements {
  private constructor(private readonly page: Page) {}

  /** Listens from the next visit on. */
  static async of(page: Page): Promise<Announcements> {
    await page.addInitScript(listen);
    return new Announcements(page);
  }

  /** What was said, in order; texts that were there when the page appeared are not. */
  async said(): Promise<string[]> {
    return (await this.heard()).said;
  }

  /** Waits until all of these were said. Each must have been said once. Forgets what was said, and returns it. */
  async expectSaid(...expected: RegExp[]): Promise<string[]> {
    const lacking = async () => {
      const said = await this.said();
      return expected.filter((text) => !said.some((heard) => text.test(heard))).map(String);
    };
    await expect.poll(lacking).toEqual([]);
    const said = await this.said();
    for (const text of expected) expect(said.filter((heard) => text.test(heard)), `${text} is said once`).toHaveLength(1);
    await this.clear();
    return said;
  }

  /** The texts of statuses that appeared together with their text. */
  async unsaid(): Promise<string[]> {
    return (await this.heard()).unsaid;
  }

  /** Forgets what was said. */
  async clear(): Promise<void> {
    await this.page.evaluate(() => {
      (globalThis as unknown as { heard: Heard }).heard = { said: [], unsaid: [] };
    });
  }

  private heard(): Promise<Heard> {
    return this.page.evaluate(() => (globalThis as unknown as { heard: Heard }).heard);
  }
}

/** Runs in the page, before its scripts. */
function listen(): void {
  const heard: Heard = { said: [], unsaid: [] };
  const world = globalThis as unknown as { heard: Heard };
  world.heard = heard;
  const LIVE = '[role=status], [role=alert], [aria-live=polite], [aria-live=assertive]';
  const known = new WeakSet<Element>();
  const waiting = new Map<Element, Set<Node>>();

  const isSilent = (element: Element): boolean => {
    const { display, visibility } = getComputedStyle(element);
    return display === 'none' || visibility === 'hidden' || element.getAttribute('aria-hidden') === 'true';
  };
  const isInSilence = (element: Element | null): boolean => element !== null && (isSilent(element) || isInSilence(element.parentElement));
  const words = (node: Node): string => {
    if (node instanceof Text) return node.data;
    if (!(node instanceof Element) || isSilent(node)) return '';
    const isInline = getComputedStyle(node).display.startsWith('inline');
    const inner = [...node.childNodes].map(words).join('');
    return isInline ? inner : ` ${inner} `;
  };
  const textOf = (node: Node): string => words(node).replace(/\s+/g, ' ').trim();
  const isAtomic = (region: Element): boolean => region.matches('[role=status], [role=alert], [aria-atomic=true]');

  /** Says what has come into a region, unless it is busy. */
  const say = (region: Element, nodes: Set<Node>): void => {
    if (region.getAttribute('aria-busy') === 'true') {
      waiting.set(region, new Set([...(waiting.get(region) ?? []), ...nodes]));
      return;
    }
    const parts = isAtomic(region) ? [region] : [...nodes].filter((node) => region.contains(node));
    // A node that is in another one is said with it.
    const outer = parts.filter((node) => !parts.some((other) => other !== node && other.contains(node)));
    const isSilenced = (node: Node) => isInSilence(node instanceof Element ? node : node.parentElement);
    const text = outer.filter((node) => !isSilenced(node)).map(textOf).filter(Boolean).join(' | ');
    if (text) world.heard.said.push(text);
  };

  const observer = new MutationObserver((changes) => {
    const appeared = new Set<Element>();
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) {
        if (!(node instanceof Element) || !node.isConnected) continue;
        const regions = [...(node.matches(LIVE) ? [node] : []), ...node.querySelectorAll(LIVE)];
        for (const region of regions) if (!known.has(region)) appeared.add(region);
      }
    }
    for (const region of appeared) {
      known.add(region);
      if (!textOf(region) || isInSilence(region)) continue;
      if (region.getAttribute('role') === 'alert') say(region, new Set([region]));
      else world.heard.unsaid.push(textOf(region));
    }
    const changed = new Map<Element, Set<Node>>();
    for (const { type, target, addedNodes } of changes) {
      const element = target instanceof Element ? target : target.parentElement;
      const region = element?.closest(LIVE);
      if (!region?.isConnected || appeared.has(region)) continue;
      known.add(region);
      const nodes = changed.get(region) ?? new Set();
      if (type === 'characterData') nodes.add(target);
      for (const node of addedNodes) if (node.isConnected) nodes.add(node);
      if (nodes.size > 0) changed.set(region, nodes);
    }
    for (const [region, nodes] of changed) say(region, nodes);
    for (const [region, nodes] of [...waiting]) {
      if (region.getAttribute('aria-busy') === 'true') continue;
      waiting.delete(region);
      if (region.isConnected) say(region, nodes);
    }
  });
  observer.observe(document, { subtree: true, childList: true, characterData: true, attributeFilter: ['aria-busy'] });
}
