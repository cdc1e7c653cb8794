/** What the page says before its program has started, and why it cannot start, in each language. */

import { expect, test, type Page } from '../support/test.ts';

/** By the tag of the language: a part of each sentence, and the button's text. */
const TEXTS = {
  en: {
    lacks: 'This browser lacks',
    unloaded: 'one of its files could not be loaded',
    mistyped: 'instead of text/javascript',
    refused: 'the server answers 503',
    forbidden: 'forbids a part of it',
    stopped: 'stopped unexpectedly',
    reload: 'Reload the page',
  },
  de: {
    lacks: 'Diesem Browser fehlt',
    unloaded: 'Eine ihrer Dateien konnte nicht geladen werden',
    mistyped: 'statt text/javascript',
    refused: 'der Server antwortet 503',
    forbidden: 'verbietet einen Teil',
    stopped: 'unerwartet angehalten',
    reload: 'Seite neu laden',
  },
  es: {
    lacks: 'A este navegador le falta',
    unloaded: 'no se pudo cargar uno de sus archivos',
    mistyped: 'en lugar de text/javascript',
    refused: 'el servidor responde 503',
    forbidden: 'prohíbe una parte',
    stopped: 'se detuvo inesperadamente',
    reload: 'Recargar la página',
  },
  fr: {
    lacks: 'Il manque à ce navigateur',
    unloaded: "un de ses fichiers n'a pas pu être chargé",
    mistyped: 'au lieu de text/javascript',
    refused: 'le serveur répond 503',
    forbidden: 'en interdit une partie',
    stopped: 'arrêtée de façon inattendue',
    reload: 'Recharger la page',
  },
  'pt-BR': {
    lacks: 'Falta a este navegador',
    unloaded: 'um de seus arquivos não pôde ser carregado',
    mistyped: 'em vez de text/javascript',
    refused: 'o servidor responde 503',
    forbidden: 'proíbe uma parte',
    stopped: 'parou inesperadamente',
    reload: 'Recarregar a página',
  },
  'zh-CN': {
    lacks: '此浏览器缺少',
    unloaded: '它的一个文件无法加载',
    mistyped: '而不是 text/javascript',
    refused: '服务器回应 503',
    forbidden: '禁止了它的一部分',
    stopped: '页面意外停止',
    reload: '重新加载页面',
  },
} as const;

const program = /app-\w+\.js$/;

for (const [tag, texts] of Object.entries(TEXTS)) {
  test.describe(`in ${tag}`, () => {
    test.use({ locale: tag });

    const expectMessage = async (page: Page, text: string) => {
      const notice = page.locator('#failure');
      await expect(notice).toContainText(text);
      await expect(notice.getByRole('button')).toHaveText(texts.reload);
      await expect(page.locator('html')).toHaveAttribute('lang', tag);
    };

    test('a start that fails says why', async ({ page, dermake, testProxy }) => {
      testProxy.replace = (path) => (program.test(path) ? { status: 503 } : undefined);
      await dermake.open(testProxy.url);
      await expectMessage(page, texts.refused);
      testProxy.replace = undefined;
      testProxy.refuse(await programName(page));
      await page.reload();
      await expectMessage(page, texts.unloaded);
      testProxy.refuse();
      testProxy.changeHeaders = (path) => (program.test(path) ? { 'content-type': 'text/plain', 'x-content-type-options': undefined } : {});
      await page.reload();
      await expectMessage(page, texts.mistyped);
      await expect(page.locator('#boot [role=status]')).toHaveCount(0);
    });

    test('a policy that forbids the program is named', async ({ page, dermake, testProxy }) => {
      testProxy.changeHeaders = () => ({ 'content-security-policy': "default-src 'self' 'unsafe-inline'" });
      await dermake.open(testProxy.url);
      await expectMessage(page, texts.forbidden);
    });

    test('a browser that lacks something, and a page that stops, say so', async ({ page, dermake, server }) => {
      await dermake.load(server.url);
      await expect(page.locator('#answers-title')).not.toHaveText(tag === 'en' ? '' : 'Answers');
      await page.evaluate(() => void Promise.reject(new WebAssembly.RuntimeError('unreachable')));
      await expectMessage(page, texts.stopped);
      await page.addInitScript('WebAssembly.validate = () => false');
      await page.reload();
      await expectMessage(page, texts.lacks);
      await expect(page.locator('#failure')).toContainText('WebAssembly SIMD');
    });
  });
}

/** The name of the program's file. */
async function programName(page: Page): Promise<string> {
  const hrefs = await page.locator('link[rel=modulepreload]').evaluateAll((links) => links.map((link) => (link as HTMLLinkElement).href));
  return hrefs.map((href) => href.split('/').at(-1)!).find((name) => program.test(name))!;
}

test('before its program, the page is in the language of the address or of the earlier choice', async ({ page, dermake, server }) => {
  await page.route(program, () => {});
  await page.goto(`${server.url}?lang=de`, { waitUntil: 'commit' });
  await expect(page.locator('#boot [role=status]')).toHaveText('Startet.');
  await expect(page.locator('#boot')).toContainText('Forschungssoftware, kein Medizinprodukt.');
  await expect(page.locator('#slow-start')).toContainText('In einem alten Browser startet sie nie');
  await expect(page.locator('#slow-start a')).toHaveText('Seite neu laden');
  await expect(page.locator('html')).toHaveAttribute('lang', 'de');
  await page.evaluate(() => localStorage.setItem('dermake.language', 'zh-CN'));
  await page.goto(server.url, { waitUntil: 'commit' });
  await expect(page.locator('#boot [role=status]')).toHaveText('正在启动。');
  await page.unroute(program);
  await page.reload();
  await dermake.waitUntilReady();
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh-CN');
});
