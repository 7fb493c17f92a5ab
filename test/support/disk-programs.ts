// Programs that put onto disks what used media hold: partition tables, LUKS, btrfs, LVM. Pinned, built by cairn itself, and run
// where they lie by their own loader: no machine has to have any of them.

import { execFileSync, type ExecFileSyncOptions } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../store/base/package-root.ts';

export interface DiskPrograms {
  /** Runs one to its end, and gives what it wrote. @throws Error when it fails. */
  run(program: string, args: readonly string[], options?: ExecFileSyncOptions): string;
  remove(): void;
}

/** For `beforeAll`, with `remove` in `afterAll`. */
export function diskPrograms(): DiskPrograms {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-disk-programs-'));
  const link = join(folder, 'programs');
  execFileSync(
    process.execPath,
    [join(packageRoot, 'dist/cli/main.js'), 'build', 'programs', '--out-link', link],
    {
      cwd: join(packageRoot, 'test/support/disk-programs'),
      env: { ...process.env, CAIRN_STORE: join(folder, 'store') },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const loader = join(link, 'usr/lib64/ld-linux-x86-64.so.2');
  const libraries = join(link, 'usr/lib/x86_64-linux-gnu');
  // LVM keeps notes and locks of its own, in the machine's folders unless it is told otherwise.
  const notes = join(folder, 'lvm');
  mkdirSync(notes);
  const env = { ...process.env, LVM_SYSTEM_DIR: notes, LVM_SUPPRESS_FD_WARNINGS: '1' };
  return {
    run(program, args, options = {}) {
      const file = ['usr/sbin', 'usr/bin'].map((place) => join(link, place, program)).find(existsSync);
      if (file === undefined) throw new Error(`there is no ${program} among the disk programs`);
      return execFileSync(loader, ['--library-path', libraries, file, ...args], {
        stdio: 'pipe',
        env,
        ...options,
        encoding: 'utf8',
      });
    },
    remove: () => {
      execFileSync('chmod', ['-R', 'u+w', folder]);
      rmSync(folder, { recursive: true });
    },
  };
}
