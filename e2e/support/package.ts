/** The JavaScript package, installed from its tarball into a folder beside the examples and the demo model. */

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const e2e = join(dirname(fileURLToPath(import.meta.url)), '..');
const npm = join(e2e, '../web/npm');
const builtApp = process.env.DERMAKE_APP ?? join(e2e, '../web/dist');
const run = promisify(execFile);

export class InstalledPackage {
  private constructor(readonly folder: string) {}

  static async beside(model: string): Promise<InstalledPackage> {
    const folder = mkdtempSync(join(tmpdir(), 'dermake-npm-'));
    const { stdout } = await run(join(npm, 'pack.sh'), [builtApp, join(folder, 'packed')]);
    writeFileSync(join(folder, 'package.json'), '{"private": true, "type": "module"}');
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', stdout.trim()], { cwd: folder });
    cpSync(join(npm, 'examples'), folder, { recursive: true });
    mkdirSync(join(folder, 'models'));
    cpSync(model, join(folder, 'models/demo'), { recursive: true });
    return new InstalledPackage(folder);
  }

  /** Builds the example of Vite; returns the folder of the result. */
  async buildWithVite(): Promise<string> {
    const [source, built] = [join(this.folder, 'vite'), join(this.folder, 'built')];
    await run(join(e2e, 'node_modules/.bin/vite'), ['build', '--outDir', built, '--emptyOutDir'], { cwd: source });
    cpSync(join(this.folder, 'models'), join(built, 'models'), { recursive: true });
    return built;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
