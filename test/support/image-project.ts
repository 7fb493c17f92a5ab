// Projects that make small images of folders (image-project/): real steps, real tools. Those of one test file share a store.

import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeTree } from '../../store/base/remove-tree.ts';
import { writeFileSync } from 'node:fs';
import { packageRoot } from '../../store/base/package-root.ts';
import { projectIn, stepsThat, type Ran } from './cairn-project.ts';

/** Files as their text or bytes, programs with a `*` before it, symlinks with `-> `, folders as objects. */
export interface Files {
  readonly [name: string]: string | Uint8Array | Files;
}

export interface ImageProject {
  readonly folder: string;
  /** Changes the text of the config. */
  edit(from: string, to: string): void;
  run(args: readonly string[]): Promise<Ran>;
  /** Builds some outputs. */
  build(...names: readonly string[]): Promise<Built>;
  /** The log's last lines of the steps that fail when `name` is built. */
  failure(name: string): Promise<string>;
}

export interface Built {
  /** Where an output's files are. */
  folder(name: string): string;
  /** The steps that were built for it, and not there before. */
  readonly steps: readonly string[];
}

export interface ImageProjects {
  /** A fresh project with the usual files, and these over them. */
  project(files?: Files): ImageProject;
  /** Removes the store. */
  close(): void;
}

/** For `beforeAll`, with `close` in `afterAll`. */
export function imageProjects(): ImageProjects {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-images-'));
  const store = join(folder, 'store');
  let projects = 0;
  return {
    project: (files = {}) => imageProject(join(folder, `project-${(projects += 1)}`), store, files),
    close: () => removeTree(folder),
  };
}

function imageProject(folder: string, store: string, files: Files): ImageProject {
  const project = projectIn(folder, store);
  const config = join(folder, 'flake-like.config.ts');
  cpSync(join(packageRoot, 'test/support/image-project'), folder, { recursive: true });
  copyFileSync(join(packageRoot, 'flake-like.lock'), join(folder, 'flake-like.lock'));
  writeFiles(folder, usualFiles());
  writeFiles(folder, files);
  return {
    folder,
    run: (args) => project.run(args),
    edit(from, to) {
      const text = readFileSync(config, 'utf8');
      if (!text.includes(from)) throw new Error(`the config has no "${from}"`);
      writeFileSync(config, text.replace(from, to));
    },
    async build(...names) {
      const links = join(folder, names.join('-'));
      const ran = await project.run(['build', ...names, '--out-link', links, '--json']);
      if (ran.status !== 0) {
        const failed = ran.events.filter(({ type, outcome }) => type === 'error' || outcome === 'failed');
        throw new Error(`${JSON.stringify(failed, undefined, 1)}${ran.stderr}`);
      }
      const link = (name: string): string =>
        names.length === 1 ? links : join(links, `${name}@aarch64-linux`);
      return { folder: (name) => realpathSync(link(name)), steps: stepsThat('built', ran) };
    },
    async failure(name) {
      const { status, stderr } = await project.run(['build', name]);
      if (status === 0) throw new Error(`${name} could be built`);
      return stderr;
    },
  };
}

/** Below a folder that may be there already. */
export function writeFiles(folder: string, files: Files): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    if (content instanceof Uint8Array) writeFileSync(path, content);
    else if (typeof content !== 'string') writeFiles(path, content);
    else if (content.startsWith('-> ')) symlinkSync(content.slice(3), path);
    else if (content.startsWith('*')) writeFileSync(path, content.slice(1), { mode: 0o755 });
    else writeFileSync(path, content);
  }
}

function usualFiles(): Files {
  return {
    boot: {
      kernel: { 'kernel8.img': noise(300_000) },
      EFI: { BOOT: { 'BOOTAA64.EFI': noise(300_000) } },
      overlays: { 'A name that is longer than eight letters.dtbo': noise(513), 'Größe der Dinge.txt': 'ä' },
      empty: '',
      'config.txt': 'arm_64bit=1\n',
    },
    root: {
      bin: '-> usr/bin',
      usr: {
        bin: { su: '*su', chage: '*chage', sh: '*sh', 'same as su': '*su' },
        lib: { 'libx.so.1': '-> libx.so.1.0', 'libx.so.1.0': noise(100_000), long: `-> ${'a/'.repeat(60)}b` },
      },
      etc: { shadow: 'root:*:::::::\n', hostname: 'small\n', empty: '', größe: 'ä' },
      // Zeros that a file system has to hold, in a file that is not a hole.
      srv: { data: Buffer.concat([noise(1_000_000), Buffer.alloc(1_000_000), noise(1_000_000)]) },
      many: Object.fromEntries(Array.from({ length: 400 }, (_, at) => [`file number ${at}`, `${at}`])),
      home: { me: {} },
      tmp: {},
    },
    attributes: {
      'attributes.json': JSON.stringify({
        'usr/bin/su': { mode: '04755' },
        'usr/bin/chage': { mode: '02755', gid: 42 },
        'etc/shadow': { mode: '0640', gid: 42 },
        'home/me': { mode: '0700', uid: 1000, gid: 100_000 },
        tmp: { mode: '01777' },
      }),
    },
    licences: {
      'licences.json': JSON.stringify({ tools: 'GPL-2.0-or-later AND LicenseRef-public-domain' }),
      texts: { tools: 'Some people made it.\nSee /usr/share/common-licenses/GPL-2, and no other.\n' },
    },
    notices: {
      COPYING: 'Linux: many people.\n',
      LICENSES: {
        preferred: { first: 'One of many.\n', second: 'One of many.\n' },
        elsewhere: '-> /etc/passwd',
      },
    },
  };
}

/** Bytes that do not compress, the same every time. */
function noise(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0, state = size; at < size; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}
