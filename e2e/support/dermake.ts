/** The `dermake` program: servers, answers of the command line, and copies of a model or of the page. */

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const binary = process.env.DERMAKE_BIN ?? join(root, 'target/release/dermake');
const builtApp = process.env.DERMAKE_APP ?? join(root, 'web/dist');
const run = promisify(execFile);

export const samples = join(root, 'shared-model/data/samples');

const fixtures = process.env.DERMAKE_FIXTURES ?? join(root, 'shared-model/tests/fixtures');
/** Folders of small models of each family. */
export const towers = join(fixtures, 'towers');

export interface Prediction {
  label: string;
  probability: number;
  logit: number;
}

/** The folder of the demo's model, which is small and trained on drawn pictures. */
export async function demoModel(): Promise<string> {
  const { stdout } = await run(join(root, '.setup/demo_model.sh'), [binary], { maxBuffer: 1 << 24 });
  return stdout.trim();
}

/** Classifies a photo with the command line. */
export type CommandLine = (photo: string, labels: string, topK: number) => Promise<Prediction[]>;

/** The command line with this model; each answer is computed once. */
export function commandLineOf(model: string): CommandLine {
  const answers = new Map<string, Promise<Prediction[]>>();
  return (photo, labels, topK) => {
    const options = [photo, '--labels', labels, '--top-k', String(topK)];
    const key = JSON.stringify(options);
    const answer = answers.get(key) ?? classify(['--model', model, ...options]);
    answers.set(key, answer);
    return answer;
  };
}

async function classify(options: string[]): Promise<Prediction[]> {
  return (await answerOf(options)).predictions;
}

/** Whether to believe an answer. */
export interface Certainty {
  unsure: boolean;
  none_of_these: boolean;
  match_score: number;
  match_threshold: number;
}

/** The whole answer of the command line; `certainty` is null if the model is not calibrated for the labels. */
export async function answerOf(options: string[]): Promise<{ predictions: Prediction[]; certainty: Certainty | null }> {
  const { stdout } = await run(binary, ['classify', ...options, '--json']);
  return JSON.parse(stdout);
}

/** Draws pictures without skin into a new folder; returns their paths. */
export async function drawOthers(folder: string, count: number): Promise<string[]> {
  await run(binary, ['synth', '--images', '20', '--seed', '3', '--image-size', '96', '--other', String(count), '--out', folder]);
  const names = readdirSync(join(folder, 'other')).filter((name) => name.endsWith('.jpg'));
  return names.sort().map((name) => join(folder, 'other', name));
}

/** Scores every known concept for a photo with the command line. */
export async function annotate(model: string, photo: string): Promise<Record<string, number>> {
  const { stdout } = await run(binary, ['annotate', '--model', model, photo, '--top-k', '64', '--json']);
  const concepts: { concept: string; score: number }[] = JSON.parse(stdout).concepts;
  return Object.fromEntries(concepts.map(({ concept, score }) => [concept, score]));
}

export interface SimilarityMap {
  text: string;
  rows: number;
  columns: number;
  values: number[];
  maximum: { row: number; column: number; place: string } | null;
}

/** Maps with the command line where a photo is like a text. */
export async function mapOf(model: string, photo: string, text: string): Promise<SimilarityMap> {
  const { stdout } = await run(binary, ['map', '--model', model, photo, '--text', text, '--json']);
  return JSON.parse(stdout);
}

/** A photo that a search finds. */
export interface Hit {
  file: string;
  cosine: number;
}

/** Makes the index of a folder of photos with the command line. */
export async function indexOf(model: string, photos: string, index: string): Promise<void> {
  await run(binary, ['embed', photos, '--model', model, '--index', index]);
}

/** Searches an index with the command line by words, or like a photo; the most similar first. */
export async function search(model: string, index: string, query: string[]): Promise<Hit[]> {
  const { stdout } = await run(binary, ['search', '--index', index, '--model', model, '--json', ...query]);
  return stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
}

/** Writes the page and a model as files, into a new folder. */
export async function writeStaticSite(model: string, folder: string): Promise<void> {
  await run(binary, ['site', '--app', builtApp, '--models', model, '--out', folder]);
}

/** Quantizes a checkpoint's folder into a new folder that can be served. */
export async function quantize(checkpoint: string, folder: string): Promise<void> {
  await run(binary, ['quantize', '--format', 'int8', '--calibrate', 'none', '--model', checkpoint, '--out', folder]);
}

/** Copies a model's folder, so that a test can change it. */
export function copyOf(model: string): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'dermake-e2e-'));
  cpSync(model, folder, { recursive: true });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export function bytesOf(folder: string, names: string[]): number {
  return names.reduce((total, name) => total + statSync(join(folder, name)).size, 0);
}

export interface ManifestFile {
  role: string;
  file: string;
  bytes: number;
  sha256: string;
}

export function manifestOf(folder: string): { name: string; notice?: string; files: ManifestFile[] } {
  return JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
}

/** Copies the page as if it had been built again after a change: all hashes in names are different. */
export function nextVersion(): { app: string; remove: () => void } {
  const app = mkdtempSync(join(tmpdir(), 'dermake-app-'));
  cpSync(builtApp, app, { recursive: true });
  const index = readFileSync(join(app, 'index.html'), 'utf8');
  const versions = [/name="version" content="(\w{16})"/, /"worker-(\w{16})-/, /app-(\w{16})\.js/];
  const hashes = versions.flatMap((version) => version.exec(index)?.[1] ?? []);
  const renamed = (text: string) => hashes.reduce((text, hash) => text.replaceAll(hash, [...hash].reverse().join('')), text);
  for (const name of readdirSync(app)) {
    if (/\.(js|html)$/.test(name) && name !== 'sw.js') {
      const path = join(app, name);
      writeFileSync(path, renamed(readFileSync(path, 'utf8')));
    }
    renameSync(join(app, name), join(app, renamed(name)));
  }
  const list = /const FILES = \{.*\};/;
  const sw = renamed(readFileSync(join(app, 'sw.js'), 'utf8'));
  const files = Object.keys(JSON.parse(list.exec(sw)![0].replace(/^const FILES = |;$/g, '')));
  const sha256 = (name: string) => createHash('sha256').update(readFileSync(join(app, name))).digest('hex');
  const listed = JSON.stringify(Object.fromEntries(files.map((name) => [name, sha256(name)])));
  writeFileSync(join(app, 'sw.js'), sw.replace(list, `const FILES = ${listed};`));
  return { app, remove: () => rmSync(app, { recursive: true, force: true }) };
}

/** `dermake serve` on a free port of this machine. */
export class Server {
  private constructor(
    private readonly process: ChildProcess,
    readonly url: string,
  ) {}

  static async start(models: string[], moreOptions: string[] = [], app = builtApp): Promise<Server> {
    const options = [...models.flatMap((folder) => ['--models', folder]), ...moreOptions];
    const child = spawn(binary, ['serve', '--app', app, '--port', '0', ...options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const url = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout! }).once('line', resolve);
      child.once('exit', (code) => reject(new Error(`dermake serve exited with ${code} before it listened`)));
    });
    return new Server(child, url);
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  /** Ends it at once, as when its machine fails. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  private async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill(signal);
    await ended;
  }
}
