// A disk that is full: for a step that fills it, and for what comes after.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sandboxFixture, type SandboxFixture } from '../../support/sandbox-fixture.ts';
import { buildProgram, outputUntil } from '../../support/test-program.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { spawn } from 'node:child_process';

let fixture: SandboxFixture;
beforeAll(async () => {
  fixture = await sandboxFixture();
});
afterAll(() => fixture.close());

test('a step that fills it fails by that, whatever it ends with, leaves nothing, and the next one has room', async () => {
  const disk = join(tempFolder('disk'), 'small');
  mkdirSync(disk);
  const busybox = fixture.store.trees.lookup({ kind: 'tree', digest: fixture.root }, 'usr/bin/busybox')!;
  if (busybox.kind !== 'blob') throw new Error(busybox.kind);
  // A disk of 40 MB that only the program sees: a tmpfs in a mount namespace of its own.
  const [program, ...args] = [
    ...fixture.tool.bubblewrap,
    ...['--dev-bind', '/', '/', '--size', '40000000', '--tmpfs', disk, '--', process.execPath],
    buildProgram('test/support/programs/build-on-small-disk.ts'),
    ...[join(disk, 'store'), fixture.toolFolder, await fixture.store.blobs.path(busybox.digest, true)],
  ];
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  expect(await outputUntil(child.stdout, '\0')).toBe(
    'disk-full\ndisk-full\ndisk-full\ndisk-full\nsucceeded\n',
  );
});
