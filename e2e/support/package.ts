/** The JavaScript package, installed from its tarball into a folder beside the examples and the demo model. */

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { createServer, type ViteDevServer } from 'vite';
import webpack, { type Configuration } from 'webpack';

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

  /** Builds the example of React with Vite; returns the folder of the result. */
  async buildWithVite(): Promise<string> {
    const [project, built] = [this.reactProject('build'), join(this.folder, 'built')];
    await run(join(e2e, 'node_modules/.bin/vite'), ['build', '--outDir', built, '--emptyOutDir'], { cwd: project });
    cpSync(join(this.folder, 'models'), join(built, 'models'), { recursive: true });
    return built;
  }

  /** Starts the development server of Vite for the example of React; its address is `resolvedUrls.local`. */
  async serveWithVite(): Promise<ViteDevServer> {
    const project = this.reactProject('develop');
    cpSync(join(this.folder, 'models'), join(project, 'models'), { recursive: true });
    const server = await createServer({ root: project, logLevel: 'error', server: { host: '127.0.0.1', port: 0 } });
    return server.listen();
  }

  /** Puts the example of React together as a project with its packages; returns its folder. */
  private reactProject(name: string): string {
    const project = join(this.folder, name);
    cpSync(join(npm, 'examples/react'), project, { recursive: true });
    cpSync(join(this.folder, 'package.json'), join(project, 'package.json'));
    cpSync(join(this.folder, 'node_modules/dermake'), join(project, 'node_modules/dermake'), { recursive: true });
    for (const name of ['react', 'react-dom']) {
      symlinkSync(realpathSync(join(e2e, 'node_modules', name)), join(project, 'node_modules', name));
    }
    return project;
  }

  /** Builds the example of webpack, in the folder of its page; returns that folder. */
  async buildWithWebpack(): Promise<string> {
    const page = join(this.folder, 'webpack');
    const config: Configuration = (await import(pathToFileURL(join(page, 'webpack.config.js')).href)).default;
    await new Promise<void>((resolve, reject) =>
      webpack({ ...config, context: page, output: { path: join(page, 'dist') } }, (error, stats) => {
        if (error ?? stats?.hasErrors()) reject(error ?? new Error(stats?.toString('errors-only')));
        else resolve();
      }),
    );
    cpSync(join(this.folder, 'models'), join(page, 'models'), { recursive: true });
    return page;
  }

  /** Puts the example of an extension together as its author does; returns its folder. */
  extension(): string {
    const extension = join(this.folder, 'extension');
    for (const part of ['node_modules/dermake', 'models/demo']) {
      cpSync(join(this.folder, part), join(extension, part), { recursive: true });
    }
    return extension;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
