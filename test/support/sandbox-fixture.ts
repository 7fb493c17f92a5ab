// What tests with real sandboxes need: a store, the sandbox's own programs, and a small root with a shell and make.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Digest } from '../../store/base/digest.ts';
import { removeTree } from '../../store/base/remove-tree.ts';
import { openStore, type Store } from '../../store/index.ts';
import type { Executor } from '../../engine/execute/executor.ts';
import { createLocalExecutor, type LocalExecutorOptions } from '../../engine/execute/local.ts';
import { sandboxTool, type SandboxTool } from '../../engine/sandbox/tool.ts';
import { unpackPackage, type PackagePin } from './debian-files.ts';

export interface SandboxFixture {
  readonly store: Store;
  readonly tool: SandboxTool;
  /** The tool tree's folder. */
  readonly toolFolder: string;
  /** The same in the store, put there when it is first asked for. */
  readonly toolTree: () => Promise<Digest>;
  /** A root in the store: static busybox under every name it answers to, and GNU make. */
  readonly root: Digest;
  /** Closes the store and removes everything. */
  close(): Promise<void>;
}

export interface ExecutorFixture extends SandboxFixture {
  /** Closed with the fixture. */
  readonly executor: Executor;
}

const libraries = './usr/lib/x86_64-linux-gnu';
const loader = `${libraries}/ld-linux-x86-64.so.2`;

const pins = {
  bubblewrap: {
    path: 'pool/main/b/bubblewrap/bubblewrap_0.12.0-1~deb13u1_amd64.deb',
    sha256: '70aca4fa8daeacb677ec00e8063eb586f08ae3d94b1f11e684370b5524c43431',
  },
  busybox: {
    path: 'pool/main/b/busybox/busybox-static_1.37.0-6+b9_amd64.deb',
    sha256: '598a3fd92bdafc34cd81196b2952ad36e910e47a4ecf162f8ce5e8e262598e53',
  },
  coreutils: {
    path: 'pool/main/c/coreutils/coreutils_9.7-3_amd64.deb',
    sha256: '1299ab6f9389a288eb2f5f3dd222c26cc777b9a2d5ecb6ee4cbd340cebcdada2',
  },
  libc: {
    path: 'pool/main/g/glibc/libc6_2.41-12+deb13u4_amd64.deb',
    sha256: '967aa62605721081c3eb2a17650611a792aa802d76a6511d1840242623d204c9',
  },
  libcap: {
    path: 'pool/main/libc/libcap2/libcap2_2.75-10+deb13u1+b3_amd64.deb',
    sha256: '89fc4d34fc7a28ad6f0fcd0c561ab253b9dedf6f77f5a000b47c276c8295bf67',
  },
  libselinux: {
    path: 'pool/main/libs/libselinux/libselinux1_3.8.1-1_amd64.deb',
    sha256: '68bb8d32bd8d6d7d2f5952a169db03d1484b46ae1e52abccdec42a19dccea5d5',
  },
  make: {
    path: 'pool/main/m/make-dfsg/make_4.4.1-2_amd64.deb',
    sha256: '70a9709e665383b06068ccd423d62ea191b65355f318a25565dbf324b254cec6',
  },
  libpcre: {
    path: 'pool/main/p/pcre2/libpcre2-8-0_10.46-1~deb13u2_amd64.deb',
    sha256: '1252b96a5bc44bb5db982bef8eb18e54f5047cede2aff641bce4f8e1edb91c3e',
  },
} as const satisfies Record<string, PackagePin>;

/** Everything is fresh; the packages it comes from are not downloaded again. For `beforeAll`, with `close` in `afterAll`. */
export async function sandboxFixture(): Promise<SandboxFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-sandbox-'));
  const toolFolder = join(folder, 'tool');
  const rootFolder = join(folder, 'root');
  await makeTool(toolFolder);
  await makeRoot(rootFolder);
  const store = await openStore(join(folder, 'store'));
  const batch = store.begin();
  const root = await batch.takeFolder(rootFolder);
  await batch.commit();
  return {
    store,
    tool: sandboxTool(toolFolder),
    toolFolder,
    toolTree: async () => (await store.importFolder(toolFolder)).node.digest,
    root: root.digest,
    close: async () => {
      await store.close();
      removeTree(folder);
    },
  };
}

/** The same with an executor. */
export async function executorFixture(
  options: Omit<LocalExecutorOptions, 'store' | 'tool'> = {},
): Promise<ExecutorFixture> {
  const fixture = await sandboxFixture();
  const executor = await createLocalExecutor({ ...options, store: fixture.store, tool: fixture.tool });
  return {
    ...fixture,
    executor,
    close: async () => {
      await executor.close();
      await fixture.close();
    },
  };
}

async function makeTool(folder: string): Promise<void> {
  await unpackPackage(pins.bubblewrap, folder, ['./usr/bin/bwrap']);
  await unpackPackage(pins.coreutils, folder, ['./usr/bin/mkfifo']);
  await unpackPackage(pins.libc, folder, [loader, `${libraries}/libc.so.6`]);
  for (const pin of [pins.libcap, pins.libselinux, pins.libpcre])
    await unpackPackage(pin, folder, [libraries]);
}

async function makeRoot(folder: string): Promise<void> {
  mkdirSync(join(folder, 'usr'), { recursive: true });
  for (const name of ['bin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(folder, name));
  await unpackPackage(pins.make, folder, ['./usr/bin/make']);
  await unpackPackage(pins.libc, folder, ['./usr/lib64', loader, `${libraries}/libc.so.6`]);
  await unpackPackage(pins.busybox, folder, ['./usr/bin/busybox']);
  const busybox = join(folder, 'usr/bin/busybox');
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  for (const applet of applets)
    if (applet !== 'busybox') symlinkSync('busybox', join(folder, 'usr/bin', applet));
}
