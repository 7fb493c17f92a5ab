// What a step sees of the machine it runs on: nothing. Each test is a step that tries. `npm run test:root` has them, too: a
// step of root's could do more, if it were let.

import { createServer } from 'node:net';
import { readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Executor } from '../../../engine/execute/executor.ts';
import { createLocalExecutor } from '../../../engine/execute/local.ts';
import { sandboxFixture, type SandboxFixture } from '../../support/sandbox-fixture.ts';
import { scriptRequest, textOf } from '../../support/sandbox-run.ts';
import { tempFolder } from '../../support/temp-folder.ts';

let fixture: SandboxFixture;
let executor: Executor;
beforeAll(async () => {
  fixture = await sandboxFixture();
  executor = await createLocalExecutor({ store: fixture.store, tool: fixture.tool });
});
afterAll(async () => {
  await executor.close();
  await fixture.close();
});

function run(script: string): Promise<string> {
  return textOf(executor, scriptRequest(fixture, script));
}

test('the root holds the layers and the folders of the sandbox, nothing of the host', async () => {
  expect((await run('ls /')).split('\n').filter(Boolean)).toEqual([
    'bin',
    'build',
    'dev',
    'lib',
    'lib64',
    'outputs',
    'proc',
    'tmp',
    'usr',
  ]);
});

test('files of the host are out of reach, by their path and through /proc', async () => {
  const secret = join(tempFolder('secret'), 'secret');
  writeFileSync(secret, 'of the host');
  const script = `for root in "" /proc/1/root /proc/self/root /proc/1/cwd/..; do cat "$root${secret}"; done; true`;
  expect(await run(script)).not.toContain('of the host');
});

test('no file that this process has open is open in the sandbox', async () => {
  const open = await run('for fd in /proc/self/fd/* /proc/1/fd/*; do readlink $fd; done; true');
  const foreign = open
    .split('\n')
    .filter((path) => path.includes(fixture.store.path) && !path.endsWith('/log'));
  expect(foreign).toEqual([]);
  expect(open).not.toContain('data.mdb');
});

test('no namespace is shared with this process', async () => {
  const kinds = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'];
  const own = await run(`for kind in ${kinds.join(' ')}; do readlink /proc/self/ns/$kind; done`);
  const shared = kinds.map((kind) => readlinkSync(`/proc/self/ns/${kind}`)).filter((ns) => own.includes(ns));
  expect(
    own
      .trim()
      .split('\n')
      .map((ns) => ns.split(':')[0]),
  ).toEqual(kinds);
  expect(shared).toEqual([]);
});

test('there is no network but a loopback of its own', async () => {
  const server = createServer((socket) => socket.end('of the host\n'));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const text = await run(`tail -n +3 /proc/net/dev | cut -d: -f1; nc 127.0.0.1 ${port} < /dev/null; true`);
  expect(text).toContain('lo');
  expect(text).not.toMatch(/eth|wlan|en[ops]|of the host/);
});

test('only the processes of the step are there, and none of them can reach another', async () => {
  const pids = (await run('ls /proc | grep -E "^[0-9]+$" | sort -n')).split('\n').filter(Boolean);
  expect(pids[0]).toBe('1');
  expect(await run('cat /proc/1/comm; true')).toBe('sh\n');
  expect(pids.length).toBeLessThan(8);
  expect(await run(`kill -0 ${process.pid} 2>&1; true`)).toContain('No such process');
});

test('another step that runs at the same time is invisible', async () => {
  const other = run('echo mine > /tmp/mine; echo mine > /build/mine; echo mine > /dev/shm/mine; sleep 0.3');
  const seen = await run(
    'sleep 0.15; ls /tmp /build /dev/shm; ls /outputs; grep -l sleep /proc/[0-9]*/cmdline; true',
  );
  await other;
  expect(seen).not.toContain('mine');
  expect(seen.match(/cmdline/g)?.length ?? 0).toBeLessThan(3);
});

test('what one step leaves in its folders, their modes and its root is gone for the next', async () => {
  await run(
    'echo x > /tmp/x; echo x > /build/x; mkdir /new; echo x > /usr/x; chmod 700 / /tmp /build /outputs $out',
  );
  expect(
    await run('ls /tmp /build /usr | grep -x x; ls -d /new; stat -c %a / /tmp /build /outputs $out'),
  ).toBe('ls: /new: No such file or directory\n755\n1777\n755\n755\n755\n');
});

test('devices are the harmless ones, and no others can be made', async () => {
  expect((await run('ls /dev')).split('\n').filter(Boolean)).toEqual([
    'core',
    'fd',
    'full',
    'null',
    'ptmx',
    'pts',
    'random',
    'shm',
    'stderr',
    'stdin',
    'stdout',
    'tty',
    'urandom',
    'zero',
  ]);
  const made = await run('mknod /build/disk b 254 0 2>&1; mknod /build/mem c 1 1 2>&1; ls /build; true');
  expect(made.match(/Operation not permitted/g)).toHaveLength(2);
  expect(await run('echo x > /dev/shm/x && cat /dev/shm/x && head -c 4 /dev/zero | wc -c')).toBe('x\n4\n');
});

test('it has no capabilities and gets none back', async () => {
  const status = await run('grep -E "^(Cap|NoNewPrivs)" /proc/self/status');
  expect(status).toMatch(/NoNewPrivs:\t1/);
  expect(status.match(/Cap\w+:\t0{16}/g)).toHaveLength(5);
  expect(await run('unshare -U true 2>&1; true')).toMatch(/unshare/);
  expect(await run('mount -t tmpfs none /tmp 2>&1; umount /proc 2>&1; true')).toMatch(/denied|permitted/);
});

test('settings of the kernel cannot be changed', async () => {
  const text = await run(
    'f=/proc/sys/kernel/panic; echo $(cat $f) > $f; echo 0 > /proc/self/oom_score_adj; true',
  );
  expect(text.match(/denied|Read-only/g)).toHaveLength(2);
});

test('layers and inputs cannot be written to', async () => {
  const text = await textOf(
    executor,
    scriptRequest(
      fixture,
      'echo changed > /usr/bin/busybox; rm /bin/make; echo changed > /in/x 2>&1; ls /in',
      {
        inputs: [{ path: '/in', node: { kind: 'tree', digest: fixture.root } }],
      },
    ),
  );
  expect(text).toContain('Read-only file system');
  expect(await run('make --version')).toContain('GNU Make 4.4');
});

test('names, times and places are the same on every machine', async () => {
  expect(await run('hostname; id -u; id -g; pwd; umask; date +%Z; env | sort')).toBe(
    `cairn
0
0
/build
0022
UTC
CAIRN_JOBS=1
HOME=/build
LC_ALL=C.UTF-8
MAKEFLAGS=-j1
PATH=/usr/bin:/usr/sbin:/bin:/sbin
PWD=/build
SHLVL=1
SOURCE_DATE_EPOCH=315532800
TMPDIR=/tmp
TZ=UTC
out=/outputs/out
`,
  );
});

test('its folders are as old in every run', async () => {
  const text = await run('stat -c "%n %Y" / /build /tmp /outputs $out');
  expect(text.trim().split('\n')).toEqual(
    ['/', '/build', '/tmp', '/outputs', '/outputs/out'].map((path) => `${path} 315532800`),
  );
});

test('disks, buses and control groups of the machine are not in /proc', async () => {
  const text = await run(
    'ls -A /proc/acpi /proc/bus /proc/fs /proc/irq /proc/driver 2>/dev/null | grep -v :; cat /proc/cgroups; cut -d: -f3 /proc/self/cgroup | sort -u',
  );
  expect(text.trim()).toBe('/');
});

test('standard input is empty and no terminal is in control', async () => {
  expect(await run('wc -c; (: < /dev/tty) 2>&1; true')).toMatch(/^0\n.*No such device/);
});
