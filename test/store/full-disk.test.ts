// A full disk, as the database meets it: always the same error, never the end of the process, and no damage.

import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { builtScript } from '../support/built-script.ts';
import { tempFolder } from '../support/temp-folder.ts';

async function onSmallDisk(action: string): Promise<{ readonly lines: string[]; readonly end: unknown }> {
  const script = await builtScript('test/support/programs/fill-database.ts');
  const inside = 'mount -t tmpfs -o size=16m none "$1" && exec "$2" "$3" "$4" "$1"';
  const { stdout, status, signal } = spawnSync(
    'unshare',
    ['-Urm', 'sh', '-c', inside, 'sh', tempFolder('full'), process.execPath, script, action],
    { encoding: 'utf8' },
  );
  return { lines: stdout.trim().split('\n'), end: signal ?? status };
}

test('commits that it refuses end with it, those that share one too, and later ones succeed', async () => {
  expect(await onSmallDisk('commits')).toEqual({
    lines: ['damages: 0', 'done: 61', 'DISK_FULL: 160'],
    end: 0,
  });
});

test('a database that cannot be made there is an error, not a signal', async () => {
  expect(await onSmallDisk('open')).toEqual({ lines: ['DISK_FULL: 1'], end: 0 });
});
