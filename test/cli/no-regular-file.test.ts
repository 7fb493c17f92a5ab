// What stands where a file is looked for and is none: one clear error, and never a wait. Also values that cannot be meant.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { testProject, type TestProject } from './cairn.ts';

/** By what it is: something of that kind at a path. */
const kinds: Readonly<Record<string, (path: string) => unknown>> = {
  'it is a fifo': (path) => execFileSync('mkfifo', ['-m', '600', path]),
  'it is a folder': (path) => mkdirSync(path),
  'it is a socket': async (path) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    chmodSync(path, 0o600);
    onTestFinished(() => void server.close());
  },
  'it is a device': (path) => symlinkSync('/dev/zero', path),
  'its symbolic links lead in a circle': (path) => symlinkSync(path, path),
};

interface Case {
  readonly what: string;
  /** Where it is, for a file of a person's own. */
  readonly at?: (project: TestProject) => string;
  readonly run: (path: string) => readonly string[];
  readonly env?: (path: string) => NodeJS.ProcessEnv;
}

const cases: readonly Case[] = [
  { what: 'the lock', at: ({ folder }) => join(folder, 'flake-like.lock'), run: () => ['lock'] },
  {
    what: 'caches.json',
    at: ({ env }) => join(env['HOME']!, '.config/cairn/caches.json'),
    run: () => ['build', 'all'],
  },
  {
    what: 'a key',
    at: ({ env }) => join(env['HOME']!, '.config/cairn/keys/team'),
    run: () => ['cache', 'push', 'all', '--key', 'team', '--to', 'file:///nonexistent/cache'],
  },
  {
    what: 'CAIRN_KEY_FILE',
    run: () => ['cache', 'push', 'all', '--to', 'file:///nonexistent/cache'],
    env: (path) => ({ CAIRN_KEY_FILE: path }),
  },
  { what: 'tokens', run: (path) => ['cache', 'serve', '--listen', '127.0.0.1:0', '--tokens', path] },
  {
    what: 'a certificate',
    run: (path) => [
      'cache',
      'serve',
      '--listen',
      '127.0.0.1:0',
      '--tls-certificate',
      path,
      '--tls-key',
      path,
    ],
  },
  {
    what: 'authorities',
    run: () => ['cache', 'status', 'all', '--cache', 'grpcs://127.0.0.1:1'],
    env: (path) => ({ CAIRN_CACHE_AUTHORITIES: path }),
  },
  {
    what: '.netrc',
    run: () => ['build', 'all', '--cache', 'http://127.0.0.1:1'],
    env: (path) => ({ NETRC: path }),
  },
  {
    what: 'credentials of a bucket',
    run: () => ['build', 'all', '--cache', 's3://bucket.example/x'],
    env: (path) => ({ AWS_SHARED_CREDENTIALS_FILE: path }),
  },
  { what: 'options of a kernel', run: (path) => ['kernel', 'config', 'diff', path, path] },
];

const [fifo = '', ...otherKinds] = Object.keys(kinds);

describe('in place of a file', () => {
  test.each([
    ...cases.map((wanted) => ({ ...wanted, reason: fifo })),
    ...otherKinds.flatMap((reason) => cases.slice(0, 1).map((wanted) => ({ ...wanted, reason }))),
  ])('$what: $reason', async ({ at, run, env = () => ({}), reason }) => {
    const elsewhere = join(tempFolder('file'), 'file');
    const project = testProject(undefined, env(elsewhere));
    const path = at?.(project) ?? elsewhere;
    mkdirSync(dirname(path), { recursive: true });
    await kinds[reason]!(path);
    const { stderr } = await project.run(...run(path));
    expect(stderr).toContain(`cannot be read: ${reason}`);
    expect(stderr).not.toContain('BUG');
  });
});

test('what a shell hands over is read, and /dev/null is an empty file', () => {
  const project = testProject();
  const cairn = join(project.folder, 'node_modules/cairn-build/dist/cli/main.js');
  const command = `exec node ${cairn} kernel config diff <(echo CONFIG_A=y) /dev/null`;
  const options = { cwd: project.folder, env: project.env, encoding: 'utf8' } as const;
  expect(execFileSync('bash', ['-c', command], options)).toBe('-A y\n');
});

test('a mirror on this machine has files, and nothing else is taken for one', async () => {
  const folder = tempFolder('mirror');
  execFileSync('mkfifo', [join(folder, 'fifo')]);
  const project = testProject(
    `export default flake({ f: fetchUrl({ name: 'f', urls: ['mirror://own/fifo'], sha256: '${'0'.repeat(64)}' }) });`,
    { CAIRN_MIRROR_OWN: `file://${folder}` },
  );
  const { stderr } = await project.run('build', 'f');
  expect(stderr).toContain('no such file: it is a fifo');
});

test.each([
  [['build', 'all', '--store', 'https://cache.example/team'], {}],
  [['build', 'all', '--store', 'file:///tmp/x'], {}],
  [['build', 'all', '--config', 'https://x.example/flake-like.config.ts'], {}],
  [['build', 'all', '-o', 's3://bucket/x'], {}],
  [['build', 'all'], { CAIRN_STORE: 'https://anna:s3cret@cache.example/team' }],
] as const)('a URL is no path: cairn %j %j', async (args, env) => {
  const { status, stderr } = await testProject(undefined, env).run(...args);
  expect(stderr).toMatch(/^error\[USAGE\] .* a URL \([a-z0-9]+:\/\/…\), and means a path on this machine$/m);
  expect(stderr).not.toContain('s3cret');
  expect(status).toBe(2);
});

describe('a value of nothing but blanks is refused:', () => {
  test.each([
    ['--store <folder>', ['build', 'all', '--store', ' ']],
    ['--store <folder>', ['--store', '', 'build', 'all']],
    ['--config <file>', ['build', 'all', '--config', '\t']],
    ['-o, --out-link <path>', ['build', 'all', '-o', '']],
    ['--cache <url...>', ['build', 'all', '--cache', '  ']],
    ['--override <input=folder>', ['build', 'all', '--override', '']],
    ['<output>', ['build', 'all', '']],
    ['<name>', ['key', 'generate', ' ']],
    ['<folder>', ['init', '']],
    ['<b[/path]>', ['diff', 'all', '']],
    ['<input>', ['lock', '']],
  ])('%s in cairn %j', async (what, args) => {
    const { status, stderr } = await testProject().run(...args);
    expect(stderr).toContain(`error[USAGE] ${what} was given nothing but blanks`);
    expect(status).toBe(2);
  });

  test.each(['CAIRN_STORE', 'CAIRN_JOBS', 'CAIRN_KEY_FILE', 'CAIRN_SOURCES'])('%s', async (name) => {
    const { status, stderr } = await testProject(undefined, { [name]: ' ' }).run('build', 'all');
    expect(stderr).toContain(`error[USAGE] ${name} is set to nothing but blanks`);
    expect(status).toBe(2);
    if (name !== 'CAIRN_STORE')
      expect((await testProject(undefined, { [name]: '' }).run('build', 'all')).status).toBe(0);
  });

  test('but not what another program is given', async () => {
    const { stderr } = await testProject().run('exec', 'all', '--', 'tool', '');
    expect(stderr).not.toContain('blanks');
  });
});
