// The program that a worker starts is kept as bytes, since no compiler is needed to install cairn: they are of its source as it is.
// Here it is started as a worker would, with commands that are no sandbox.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attendProgram } from '../../../engine/remote/attend.ts';
import { ordersText } from '../../../engine/remote/orders.ts';
import { packageRoot } from '../../../store/base/package-root.ts';
import { tempFolder } from '../../support/temp-folder.ts';

it('the program for workers was made anew after its source has changed', () => {
  const [source, made] = ['attend.c', 'attend.ts'].map((name) =>
    readFileSync(join(packageRoot, 'engine/remote', name)),
  );
  expect(made!.toString()).toContain(`made of:\n// ${createHash('sha256').update(source!).digest('hex')}\n`);
});

/** What a worker gets to see of a command for which a disk of 8 MB, nobody else's, has to do. */
function attended(command: string): { readonly status: string; readonly excess: string | undefined } {
  const folder = tempFolder('attend');
  const [program, orders] = [join(folder, 'attend'), join(folder, 'orders')];
  writeFileSync(program, attendProgram(), { mode: 0o755 });
  const most = { seconds: 60, silentSeconds: 2, logBytes: 10_000 };
  const none = { folders: [], masks: [], limits: [], outputs: [], aged: { paths: [], seconds: 0 } };
  writeFileSync(orders, ordersText({ ...none, umask: 0o022, most, cleared: [] }));
  const inside = `mount -t tmpfs -o size=8m none "$1"; cd "$1"; mkdir given run work; cp "$3" run; : > run/filter
    status=0; "$2" /bin/sh -c "$4" > said || status=$?
    rm -f work/fill; echo $status; [ ! -e work/excess ] || { echo =; cat work/excess; }`;
  const ran = spawnSync(
    'unshare',
    ['-Urm', 'sh', '-euc', inside, 'sh', tempFolder('disk'), program, orders, command],
    { encoding: 'utf8' },
  );
  const [status = ran.stderr, excess] = ran.stdout.trimEnd().split(/\n=\n?/);
  return { status, excess };
}

describe('a command that a worker attends to', () => {
  const fill = 'head -c 20000000 /dev/zero > work/fill 2> /dev/null';

  it.each([
    ['ends with its status', 'echo said; exit 3', '3', undefined],
    ['may leave much', 'head -c 5000000 /dev/zero > work/fill', '0', undefined],
    ['says nothing', 'sleep 30', '137', 'silence'],
    ['says too much', 'head -c 20000 /dev/zero; sleep 30', '137', 'log-size'],
    ['says something now and then', 'for each in 1 2 3; do sleep 1; echo $each; done', '0', undefined],
  ])('%s', (_, command, status, excess) => {
    expect(attended(command)).toEqual({ status, excess });
  });

  // Where nothing can be written, the file that says so is empty.
  it.each([
    ['waits for room', `${fill}; sleep 30`],
    ['has made room again', `${fill}; sleep 0.1; rm work/fill; sleep 1`],
    ['is done', `${fill}; exit 0`],
  ])('has found the disk full when it %s, whatever it ends with', (_, command) => {
    expect(['', 'disk-full']).toContain(attended(command).excess);
  });
});
