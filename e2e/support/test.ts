/** The fixtures of the tests: servers that all test files share, the page, and a proxy in front of the server. */

import { test as base } from '@playwright/test';
import { commandLineOf, demoModel, Server, type CommandLine } from './dermake.ts';
import { DermakePage } from './page.ts';
import { Pictures } from './pictures.ts';
import { TestProxy } from './test_proxy.ts';

interface SharedFixtures {
  /** Folder of the demo model. */
  model: string;
  /** `dermake serve` with the demo model, without inference. */
  server: Server;
  /** `dermake serve` with the demo model and inference, for at most three own labels. */
  inferenceServer: Server;
  /** The command line with the demo model. */
  commandLine: CommandLine;
}

interface TestFixtures {
  dermake: DermakePage;
  /** Pictures that the test draws. Needs an open page. */
  pictures: Pictures;
  /** Forwards to `server`. */
  testProxy: TestProxy;
}

export const test = base.extend<TestFixtures, SharedFixtures>({
  model: [async ({}, use) => use(await demoModel()), { scope: 'worker' }],
  server: [({ model }, use) => serve(use, model), { scope: 'worker' }],
  inferenceServer: [({ model }, use) => serve(use, model, ['--infer', 'cpu', '--max-labels', '3']), { scope: 'worker' }],
  commandLine: [async ({ model }, use) => use(commandLineOf(model)), { scope: 'worker' }],
  dermake: async ({ page, commandLine }, use) => use(new DermakePage(page, commandLine)),
  pictures: async ({ page }, use) => {
    const pictures = new Pictures(page);
    await use(pictures);
    pictures.remove();
  },
  testProxy: async ({ server }, use) => {
    const proxy = await TestProxy.to(server.url);
    await use(proxy);
    await proxy.close();
  },
});

async function serve(use: (server: Server) => Promise<void>, model: string, options: string[] = []): Promise<void> {
  const server = await Server.start([model], options);
  await use(server);
  await server.stop();
}

export { expect, type Page, type Request } from '@playwright/test';
