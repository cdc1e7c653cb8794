/**
 * `just first-visits BROWSER COUNT`: opens the page as a new visitor does, again and again, and counts the visits that
 * hang.
 *
 * Each visit is a browser with an empty profile, started without automation, behind a proxy that delays requests as slow
 * links and disks do: those that ask the server whether a file is still so by 0.4 to 2 seconds, which is where a service
 * worker and the model's threads meet. A script that the proxy adds to the page chooses a sample once the model is ready,
 * and reports what the page shows. A visit is good when it shows an answer. One that ends in neither hangs, and so does
 * one that shows a notice: nothing is wrong with the server here.
 */

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const VISIT_MILLIS = 90_000;
const CLOSE_MILLIS = 10_000;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    dermake: { type: 'string' }, // the program, built
    app: { type: 'string' }, // the page, built
    model: { type: 'string' }, // a folder from `dermake quantize`
    least: { type: 'string', default: '400' }, // milliseconds of delay
    most: { type: 'string', default: '2000' },
    'at-once': { type: 'string', default: '1' }, // visits side by side
  },
});
const missing = ['dermake', 'app', 'model'].filter((name) => !options[name]);
if (missing.length > 0) throw new Error(`wanted: ${missing.map((name) => `--${name}`).join(' ')}`);
const [browserName = 'firefox', count = '10'] = positionals;

const { CHROMIUM = 'chromium', FIREFOX = 'firefox-esr' } = process.env; // from .setup/env.sh
const chromiumFlags = JSON.parse(readFileSync(new URL('../.setup/chromium_flags.json', import.meta.url), 'utf8'));
const webkit = ['4.1', '6.0'].map((version) => `/usr/lib/x86_64-linux-gnu/webkit2gtk-${version}/MiniBrowser`).find(existsSync);
const browsers = {
  firefox: (profile, url) => [FIREFOX, '--headless', '--no-remote', '--profile', profile, url],
  chromium: (profile, url) => [CHROMIUM, '--headless=new', ...chromiumFlags, `--user-data-dir=${profile}`, url],
  webkit: (_, url) => ['xvfb-run', '-a', webkit ?? 'MiniBrowser', url],
};
if (!browsers[browserName]) throw new Error(`expected one of ${Object.keys(browsers).join(', ')}, got ${browserName}`);

/** Runs in the page. */
function visitor() {
  const told = { at: 'opened' };
  const tell = (state) => {
    told.at = state;
    fetch('__visit', { method: 'POST', body: state }).catch(() => {});
  };
  const find = (testId) => document.querySelector(`[data-testid=${testId}]`);
  setInterval(() => {
    const notice = find('notice')?.textContent;
    const phase = find('status')?.dataset.phase ?? 'not started';
    if (told.at === 'answered' || notice === told.at) return;
    if (notice) tell(`notice: ${notice}`);
    else if (find('predictions')?.querySelector('li')) tell('answered');
    else if (phase === 'ready' && told.at !== 'sample') {
      find('sample-1')?.click();
      told.at = 'sample';
    } else if (told.at !== 'sample' && told.at !== phase) tell(phase);
  }, 100);
}

class DelayingProxy {
  /** What the page of the visit under way has told. */
  onTold = () => {};

  static async to(target) {
    const proxy = new DelayingProxy();
    proxy.target = target;
    proxy.server = createServer((asked, answer) => proxy.#take(asked, answer));
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

  #take(asked, answer) {
    if (asked.url.endsWith('/__visit')) {
      const parts = [];
      asked.on('data', (part) => parts.push(part));
      asked.on('end', () => {
        this.onTold(Buffer.concat(parts).toString());
        answer.end();
      });
      return;
    }
    const revalidates = /no-cache|max-age=0/.test(asked.headers['cache-control'] ?? '') || asked.headers['service-worker'];
    const [least, most] = [Number(options.least), Number(options.most)];
    const millis = revalidates ? least + Math.random() * (most - least) : Math.random() * Math.min(least, 100);
    setTimeout(() => this.#pass(asked, answer), millis);
  }

  #pass(asked, answer) {
    const isPage = asked.url.split('?')[0] === '/';
    const headers = { ...asked.headers };
    if (isPage) delete headers['accept-encoding'];
    const onward = request(new URL(asked.url, this.target), { method: asked.method, headers }, (response) => {
      if (!isPage || response.statusCode !== 200) {
        answer.writeHead(response.statusCode, response.headers);
        response.pipe(answer);
        return;
      }
      const { 'content-security-policy': _policy, 'content-length': _length, etag: _etag, ...others } = response.headers;
      answer.writeHead(200, others);
      response.on('data', (part) => answer.write(part));
      response.on('end', () => answer.end(`<script>(${visitor})()</script>`));
    });
    onward.on('error', () => answer.destroy());
    asked.pipe(onward);
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

/** Resolves to what the page told last, and after how long. */
async function visit() {
  const proxy = await DelayingProxy.to(server.url);
  const home = mkdtempSync(join(tmpdir(), 'dermake-visit-'));
  const [program, ...rest] = browsers[browserName](home, proxy.url);
  const started = performance.now();
  // Its own group, so that all its processes can be ended; a home of its own, for browsers that take no profile.
  const child = spawn(program, rest, { detached: true, stdio: 'ignore', env: { ...process.env, HOME: home, MOZ_CRASHREPORTER_DISABLE: '1' } });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let last = 'never opened';
  try {
    await new Promise((resolve, reject) => {
      child.once('error', reject);
      const timer = setTimeout(resolve, VISIT_MILLIS);
      proxy.onTold = (told) => {
        last = told;
        if (told === 'answered' || told.startsWith('notice')) {
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
        break; // all have ended
      }
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, CLOSE_MILLIS))]);
    }
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
  return { last, millis: performance.now() - started };
}

const server = await startServer();
const visits = [];
let begun = 0;
async function visitAgainAndAgain() {
  while (begun < Number(count)) {
    const i = ++begun;
    const { last, millis } = await visit();
    visits.push({ last, millis });
    if (last !== 'answered') console.log(`visit ${i}: ${last} (${(millis / 1000).toFixed(0)} s)`);
  }
}
try {
  await Promise.all(Array.from({ length: Number(options['at-once']) }, visitAgainAndAgain));
} finally {
  server.stop();
}
const good = visits.filter(({ last }) => last === 'answered');
const times = good.map(({ millis }) => millis / 1000).sort((a, b) => a - b);
const [median, most] = [times[Math.floor(times.length / 2)], times.at(-1)].map((secs) => secs?.toFixed(1) ?? 'n/a');
console.log(`${browserName}: ${good.length} of ${visits.length} first visits answered; median ${median} s, longest ${most} s`);
process.exitCode = good.length === visits.length ? 0 : 1;
