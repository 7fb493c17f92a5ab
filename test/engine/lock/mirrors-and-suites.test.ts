// `cairn lock` where there are several mirrors, of which some are bad, and several suites, whose packages need each other.

import { beforeAll, expect, test } from 'vitest';
import { formatLock, parseLock } from '../../../engine/lock/lock-file.ts';
import type { DebianPackages } from '../../../engine/model/flake.ts';
import { serve, type WebServer } from '../../support/web-server.ts';
import {
  archiveFiles,
  mirrorsAt,
  serveArchive,
  signingKey,
  type ArchiveSpec,
  type SigningKey,
} from './fake-archive.ts';
import { failureOf } from '../../support/failure-of.ts';
import { sed, updateWith, type Update } from './updating.ts';

const day = 24 * 3600 * 1000;

let key: SigningKey;
let otherKey: SigningKey;
beforeAll(async () => {
  key = await signingKey();
  otherKey = await signingKey();
});
const update = (asked: Update) => updateWith(key, asked);

function sourceOf(version: string): string {
  const file = `sed_${version}.orig.tar.xz`;
  return `Package: sed\nVersion: ${version}-1\nDirectory: pool/s\nChecksums-Sha256:\n ${'a'.repeat(64)} 10 ${file}\n`;
}

async function mirror(version: string, spec: Partial<ArchiveSpec> = {}): Promise<WebServer> {
  const files = await archiveFiles({ sources: sourceOf(version), signers: [key], ...spec });
  return (await serveArchive(files)).server;
}

const badMirrors: readonly (readonly [string, () => Promise<WebServer>])[] = [
  ['has expired', () => mirror('4.8', { validUntil: new Date(Date.now() - day) })],
  ['is signed by somebody else', () => mirror('6.6', { signers: [otherKey] })],
  ['shows a login page', () => serve((_, response) => response.end('<html>please log in</html>'))],
  ['has nothing', () => serve((_, response) => response.writeHead(404).end())],
  ['is broken', () => serve((_, response) => response.writeHead(500).end())],
  ['is older, and does not say so', () => mirror('4.8', { date: new Date(Date.now() - 90 * day) })],
];

test.each(badMirrors)('a first mirror that %s does not matter when the second is good', async (_, bad) => {
  const mirrors = mirrorsAt(await bad(), await mirror('4.9'));
  const { lock } = await update({ inputs: { sed }, mirrors });
  expect(lock.inputs['sed']?.pins[0]?.version).toBe('4.9');
});

test('a mirror that is passed over is named, with its reason', async () => {
  const login = await serve((_, response) => response.end('<html>please log in</html>'));
  const { notices } = await update({ inputs: { sed }, mirrors: mirrorsAt(login, await mirror('4.9')) });
  const notice = notices.find((text) => text.includes('passed over'));
  expect(notice).toContain(`${login.base}/dists/trixie/InRelease`);
  expect(notice).toContain('no good signature');
});

test('a mirror whose release is new and whose index is old does not matter when another has the new index', async () => {
  const fresh = await archiveFiles({ sources: sourceOf('4.9'), signers: [key] });
  const stale = await archiveFiles({ sources: sourceOf('4.8'), signers: [key] });
  const half = new Map([...stale, ['dists/trixie/InRelease', fresh.get('dists/trixie/InRelease')!] as const]);
  const mirrors = mirrorsAt((await serveArchive(half)).server, (await serveArchive(fresh)).server);
  const { lock } = await update({ inputs: { sed }, mirrors });
  expect(lock.inputs['sed']?.pins[0]?.version).toBe('4.9');
});

test('when no mirror is good, the error is the gravest there is', async () => {
  const gone = await serve((_, response) => response.writeHead(404).end());
  const expired = await mirror('4.8', { validUntil: new Date(Date.now() - day) });
  const error = await failureOf(update({ inputs: { sed }, mirrors: mirrorsAt(gone, expired) }));
  expect(error.code).toBe('LOCK_SIGNATURE');
  expect(error.message).toContain('it was valid until');
  expect(error.hint).toContain('snapshot: true');
});

test('a snapshot of the past is locked when it is meant, and only with a good signature', async () => {
  const long = { date: new Date('2020-01-01'), validUntil: new Date('2020-01-08') };
  const snapshot = { ...sed, snapshot: true } as const;
  const mirrors = mirrorsAt(await mirror('4.7', long));
  const { lock } = await update({ inputs: { sed: snapshot }, mirrors });
  expect(lock.inputs['sed']?.pins[0]?.version).toBe('4.7');
  expect(lock.inputs['sed']?.declaration).toEqual(snapshot);
  expect((await failureOf(update({ inputs: { sed, old: snapshot }, mirrors }))).code).toBe('LOCK_SIGNATURE');
  const forged = mirrorsAt(await mirror('4.7', { ...long, signers: [otherKey] }));
  const error = await failureOf(update({ inputs: { sed: snapshot }, mirrors: forged }));
  expect(error.message).toContain('no good signature');
});

const both: DebianPackages = {
  kind: 'debian-packages',
  suite: 'trixie',
  furtherSuites: ['trixie-security'],
  architecture: 'amd64',
  packages: ['app'],
};

function packageOf(name: string, version: string, ...fields: readonly string[]): string {
  const sha256 = Buffer.from(`${name} ${version}`.padEnd(32)).toString('hex');
  const file = `pool/${name}_${version.replace(/^\d+:/, '')}.deb`;
  return [
    `Package: ${name}`,
    `Version: ${version}`,
    ...fields,
    `Filename: ${file}`,
    'Size: 5',
    `SHA256: ${sha256}`,
    '',
  ].join('\n');
}

async function suites(main: readonly string[], security: readonly string[]) {
  const files = [
    ...(await archiveFiles({ packages: main.join('\n'), signers: [key] })),
    ...(await archiveFiles({ suite: 'trixie-security', packages: security.join('\n'), signers: [key] })),
  ];
  return mirrorsAt((await serveArchive(new Map(files))).server);
}

async function pinned(
  declaration: DebianPackages,
  main: readonly string[],
  security: readonly string[] = [],
) {
  const mirrors = await suites(main, security);
  const { lock, notices } = await update({ inputs: { app: declaration }, mirrors });
  return { pins: lock.inputs['app']!.pins.map(({ name, version }) => `${name} ${version}`), lock, notices };
}

test('packages of two suites satisfy each other, and of each the newest is taken, from the archive that has it', async () => {
  const { pins, lock } = await pinned(
    both,
    [packageOf('app', '1:2.0-1', 'Depends: lib (>= 3~rc1)'), packageOf('lib', '3~beta1-1')],
    [packageOf('lib', '3-1+deb13u1', 'Depends: base'), packageOf('base', '1')],
  );
  expect(pins).toEqual(['app 1:2.0-1', 'base 1', 'lib 3-1+deb13u1']);
  expect(lock.inputs['app']?.pins.map(({ urls }) => urls[0]?.split('/')[2])).toEqual([
    'debian',
    'debian-security',
    'debian-security',
  ]);
});

test('each package keeps the source that it was built from, which may have another name and version', async () => {
  const { lock } = await pinned({ ...both, packages: ['app', 'lib'] }, [
    packageOf('app', '1:2.0-1+b3', 'Source: app-source (1:2.0-1)'),
    packageOf('lib', '3-1'),
  ]);
  expect(lock.inputs['app']?.pins.map(({ source }) => source)).toEqual([
    { name: 'app-source', version: '1:2.0-1' },
    { name: 'lib', version: '3-1' },
  ]);
  expect(parseLock(formatLock(lock), 'flake-like.lock')).toEqual(lock);
});

test('a further suite that somebody else signed is not believed, however good the first is', async () => {
  const files = [
    ...(await archiveFiles({ packages: packageOf('app', '1'), signers: [key] })),
    ...(await archiveFiles({
      suite: 'trixie-security',
      packages: packageOf('app', '2'),
      signers: [otherKey],
    })),
  ];
  const { server } = await serveArchive(new Map(files));
  const error = await failureOf(update({ inputs: { app: both }, mirrors: mirrorsAt(server) }));
  expect(error.code).toBe('LOCK_SIGNATURE');
  expect(error.message).toContain('dists/trixie-security/InRelease cannot be trusted');
});

test('what only the other suite has is not there for an input that does not name it', async () => {
  const mirrors = await suites([packageOf('app', '2', 'Depends: lib')], [packageOf('lib', '3')]);
  const error = await failureOf(update({ inputs: { app: { ...both, furtherSuites: [] } }, mirrors }));
  expect(error.message).toContain('app depends on lib, which Debian trixie does not have');
});

test.each([
  [
    'Conflicts',
    [packageOf('app', '2', 'Conflicts: mail-server'), packageOf('other', '1', 'Provides: mail-server')],
  ],
  ['Breaks', [packageOf('app', '2', 'Breaks: other (<< 1:1~)'), packageOf('other', '1:1~~1')]],
])(
  'two packages that exclude each other (%s) are not locked together, unless that is meant',
  async (_, main) => {
    const wanted = { ...both, packages: ['app', 'other'] };
    const error = await failureOf(pinned(wanted, main));
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(error.message).toContain('app is not meant to be installed beside other: ');
    expect(error.hint).toContain("despiteConflicts: ['other']");
    for (const name of ['app', 'other'])
      expect((await pinned({ ...wanted, despiteConflicts: [name] }, main)).pins).toHaveLength(2);
    expect((await failureOf(pinned({ ...wanted, despiteConflicts: ['base'] }, main))).code).toBe(
      'CONFIG_INVALID',
    );
  },
);

test('a package that breaks older versions of another, or conflicts with what it provides itself, is no matter', async () => {
  const main = [
    packageOf('app', '2', 'Provides: mail-server', 'Conflicts: mail-server', 'Breaks: other (<< 1:1~)'),
    packageOf('other', '1:1-1'),
  ];
  expect((await pinned({ ...both, packages: ['app', 'other'] }, main)).pins).toHaveLength(2);
});
