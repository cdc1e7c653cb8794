/**
 * `just first-visits BROWSER COUNT`: opens the page as a new visitor, again and again, and counts the visits that fail.
 *
 * Each visit starts a browser with an empty profile and without automation, behind a proxy that delays requests as slow
 * links and disks do. Revalidating requests are delayed by 0.4 to 2 seconds, so that the start of the service worker and
 * that of the model's threads overlap. The proxy adds a script to the page that selects a sample once the model is
 * loaded, and goes on as visitors do: labels of their own, a worker that is lost, and a reload without a network. It
 * reports each step. A visit fails if a step does not come, or if the page shows an error that no step causes.
 */

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const VISIT_MILLIS = 180_000;
const CLOSE_MILLIS = 10_000;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    dermake: { type: 'string' }, // the built program
    app: { type: 'string' }, // the built page
    model: { type: 'string' }, // a folder from `dermake quantize`
    least: { type: 'string', default: '400' }, // milliseconds of delay
    most: { type: 'string', default: '2000' },
    'at-once': { type: 'string', default: '1' }, // parallel visits
  },
});
const missing = ['dermake', 'app', 'model'].filter((name) => !options[name]);
if (missing.length > 0) throw new Error(`missing options: ${missing.map((name) => `--${name}`).join(' ')}`);
const [browserName = 'firefox', count = '10'] = positionals;

const { CHROMIUM = 'chromium', FIREFOX = 'firefox-esr' } = process.env; // from .setup/env.sh
const chromiumFlags = JSON.parse(readFileSync(new URL('../.setup/chromium_flags.json', import.meta.url), 'utf8'));
const webkit = readdirSync('/usr/lib')
  .flatMap((machine) => ['4.1', '6.0'].map((version) => `/usr/lib/${machine}/webkit2gtk-${version}/MiniBrowser`))
  .find(existsSync);
const browsers = {
  firefox: (profile, url) => [FIREFOX, '--headless', '--no-remote', '--profile', profile, url],
  chromium: (profile, url) => [CHROMIUM, '--headless=new', ...chromiumFlags, `--user-data-dir=${profile}`, url],
  webkit: (_, url) => ['xvfb-run', '-a', webkit ?? 'MiniBrowser', url],
};
if (!browsers[browserName]) throw new Error(`expected one of ${Object.keys(browsers).join(', ')}, got ${browserName}`);

/** Runs in the page, before its program: goes through the steps of a visit, also after the reload that one of them does. */
function visitor() {
  const labels = ['acne', 'mole', 'psoriasis'];
  const find = (testId) => document.querySelector(`[data-testid=${testId}]`);
  const report = (state) => fetch('__visit', { method: 'POST', body: state }).catch(() => {});
  const isReady = () => find('status')?.dataset.phase === 'ready';
  const nAnswers = () => find('predictions')?.querySelectorAll('li').length ?? 0;
  const hasOwnAnswers = () => isReady() && !find('notice') && nAnswers() === labels.length;
  const change = (testId, value, type) => {
    find(testId).value = value;
    find(testId).dispatchEvent(new Event(type, { bubbles: true }));
  };
  let worker;
  globalThis.Worker = class extends Worker {
    constructor(...args) {
      super(...args);
      worker = this;
    }
  };
  const steps = [
    { name: 'answered', may: isReady, act: () => find('sample-1').click(), isDone: () => nAnswers() > 0 },
    {
      name: 'own labels',
      may: isReady,
      act: async () => {
        change('labels-select', 'custom', 'change');
        while (!find('own-labels')) await new Promise((resolve) => setTimeout(resolve, 50));
        change('own-labels', labels.join(', '), 'input');
        find('apply-own-labels').click();
      },
      isDone: hasOwnAnswers,
    },
    {
      name: 'lost worker told of',
      may: isReady,
      act: () => {
        worker.dispatchEvent(new ErrorEvent('error', { message: 'lost' })); // WebKit has no events after the end
        worker.terminate();
      },
      isDone: () => find('retry'),
    },
    { name: 'lost worker replaced', may: () => find('retry'), act: () => find('retry').click(), isDone: hasOwnAnswers },
    {
      name: 'answered without a network',
      may: () => isReady() && 'stored' in document.documentElement.dataset && sessionStorage['dermake.photo'],
      act: async () => {
        await report('offline');
        location.reload();
        await new Promise(() => {});
      },
      isDone: hasOwnAnswers,
    },
  ];
  let at = Number(sessionStorage.visit ?? 0);
  let hasActed = sessionStorage.acted === 'true';
  const remember = (step, acted) => {
    [at, hasActed] = [step, acted];
    [sessionStorage.visit, sessionStorage.acted] = [step, acted];
  };
  (async () => {
    for (; at < steps.length; await new Promise((resolve) => setTimeout(resolve, 100))) {
      const { name, may, act, isDone } = steps[at];
      const notice = find('notice')?.textContent;
      if (hasActed && isDone()) {
        await report(name);
        remember(at + 1, false);
      } else if (!hasActed && may()) {
        remember(at, true);
        await act();
      } else if (notice && name !== 'lost worker replaced') return report(`notice: ${notice}`);
    }
    report('done');
  })();
}

class DelayingProxy {
  /** Whether all requests but reports fail. */
  isOffline = false;
  /** Called with each report of the page. */
  onReport = () => {};

  static async to(target) {
    const proxy = new DelayingProxy();
    proxy.target = target;
    proxy.server = createServer((incoming, response) => proxy.#receive(incoming, response));
    await new Promise((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url() {
    return `http://127.0.0.1:${this.server.address().port}/`;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }

  #receive(incoming, response) {
    if (incoming.url.endsWith('/__visit')) {
      const parts = [];
      incoming.on('data', (part) => parts.push(part));
      incoming.on('end', () => {
        const report = Buffer.concat(parts).toString();
        this.isOffline ||= report === 'offline';
        this.onReport(report);
        response.end();
      });
      return;
    }
    if (this.isOffline) return void incoming.destroy();
    const revalidates = /no-cache|max-age=0/.test(incoming.headers['cache-control'] ?? '') || incoming.headers['service-worker'];
    const [least, most] = [Number(options.least), Number(options.most)];
    const millis = revalidates ? least + Math.random() * (most - least) : Math.random() * Math.min(least, 100);
    setTimeout(() => this.#forward(incoming, response), millis);
  }

  #forward(incoming, response) {
    const isPage = incoming.url.split('?')[0] === '/';
    const headers = { ...incoming.headers };
    if (isPage) delete headers['accept-encoding'];
    const forwarded = request(new URL(incoming.url, this.target), { method: incoming.method, headers }, (original) => {
      if (!isPage || original.statusCode !== 200) {
        response.writeHead(original.statusCode, original.headers);
        original.pipe(response);
        return;
      }
      const { 'content-security-policy': _policy, 'content-length': _length, etag: _etag, ...others } = original.headers;
      response.writeHead(200, others);
      original.on('data', (part) => response.write(part));
      original.on('end', () => response.end(`<script>(${visitor})()</script>`));
    });
    forwarded.on('error', () => response.destroy());
    incoming.pipe(forwarded);
  }
}

async function startServer() {
  const child = spawn(options.dermake, ['serve', '--app', options.app, '--port', '0', '--models', options.model], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`dermake serve ended with ${code}`)));
  });
  return { url, stop: () => child.kill() };
}

/** Returns the page's last report, and the time until it. */
async function visit() {
  const proxy = await DelayingProxy.to(server.url);
  const home = mkdtempSync(join(tmpdir(), 'dermake-visit-'));
  const [program, ...rest] = browsers[browserName](home, proxy.url);
  const started = performance.now();
  // A process group, so that all its processes can be ended; a home folder, for browsers without a profile option.
  const child = spawn(program, rest, { detached: true, stdio: 'ignore', env: { ...process.env, HOME: home, MOZ_CRASHREPORTER_DISABLE: '1' } });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let last = 'never opened';
  try {
    await new Promise((resolve, reject) => {
      child.once('error', reject);
      const timer = setTimeout(resolve, VISIT_MILLIS);
      proxy.onReport = (report) => {
        last = report;
        if (report === 'done' || report.startsWith('notice')) {
          clearTimeout(timer);
          resolve();
        }
      };
    });
  } finally {
    proxy.close();
    for (const signal of ['SIGTERM', 'SIGKILL']) {
      try {
        process.kill(-child.pid, signal);
      } catch {
        break; // all processes have ended
      }
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, CLOSE_MILLIS))]);
    }
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
  return { last, millis: performance.now() - started };
}

const server = await startServer();
const visits = [];
let nStarted = 0;
async function visitRepeatedly() {
  while (nStarted < Number(count)) {
    const i = ++nStarted;
    const { last, millis } = await visit();
    visits.push({ last, millis });
    if (last !== 'done') console.log(`visit ${i}: ${last} (${(millis / 1000).toFixed(0)} s)`);
  }
}
try {
  await Promise.all(Array.from({ length: Number(options['at-once']) }, visitRepeatedly));
} finally {
  server.stop();
}
const whole = visits.filter(({ last }) => last === 'done');
const times = whole.map(({ millis }) => millis / 1000).sort((a, b) => a - b);
const [median, most] = [times[Math.floor(times.length / 2)], times.at(-1)].map((secs) => secs?.toFixed(1) ?? 'n/a');
console.log(`${browserName}: ${whole.length} of ${visits.length} visits came to their end; median ${median} s, longest ${most} s`);
process.exitCode = whole.length === visits.length ? 0 : 1;
