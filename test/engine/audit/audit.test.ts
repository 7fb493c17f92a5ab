// Audits against a signed archive that is served over HTTP: what is newer, which CVEs its changelogs name, what is waived.

import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { audit, judge, reaches, type AuditedPart } from '../../../engine/audit/index.ts';
import { parseChangelog, reachesBackTo } from '../../../engine/audit/changelog.ts';
import { emptyLock, type Lock } from '../../../engine/lock/lock-file.ts';
import type { LockedDeclaration, PinnedFile, Waiver } from '../../../engine/model/flake.ts';
import { auditLines, auditRecords } from '../../../cli/reports/audit-report.ts';
import { parseRecords } from '../../support/json-records.ts';
import { debOf, tarOf } from '../archive/make-archives.ts';
import { archiveFiles, serveArchive, signingKey, type SigningKey } from '../lock/fake-archive.ts';

const lzma = createRequire(import.meta.url)('lzma-native') as { compress(bytes: Buffer): Promise<Buffer> };

let key: SigningKey;
beforeAll(async () => {
  key = await signingKey();
});

const suites = { suite: 'trixie', furtherSuites: ['trixie-security'] } as const;
const library: LockedDeclaration = {
  kind: 'debian-packages',
  ...suites,
  architecture: 'amd64',
  packages: ['libkrb'],
};
const archiver: LockedDeclaration = { kind: 'debian-source', ...suites, package: 'gzip' };

const krbChanges = `krb5 (1.21-5+deb13u2) trixie-security; urgency=high

  * A fix (CVE-2026-2000), and one of before: cve-2026-1999.

 -- Some One <one@example.org>  Mon, 24 Aug 2026 17:59:51 -0400

krb5 (1.21-5+deb13u1) trixie; urgency=medium

  * An older one, CVE-2025-1000.
`;
const gzipChanges = `gzip (1:1.13-1+deb13u1) trixie; urgency=medium

  * Two fixes: CVE-2026-41991, CVE-2026-41992.

gzip (1:1.13-1) sid; urgency=medium

  * New upstream release.

gzip (1:1.12-1) sid; urgency=medium

  * CVE-2022-1271.
`;

/** What the archive has; tests change it before it is served. */
interface Contents {
  readonly krbVersion: string;
  readonly gzipVersion: string;
  /** Paths that no mirror has. */
  readonly lacks: readonly string[];
  /** Text of the changelog in the binary package. */
  readonly inPackage: string;
}
const usual: Contents = {
  krbVersion: '1.21-5+deb13u2',
  gzipVersion: '1:1.13-1+deb13u1',
  lacks: [],
  inPackage: krbChanges,
};

const pin = (name: string, version: string, more: Partial<PinnedFile> = {}): PinnedFile => ({
  name,
  version,
  urls: [`mirror://debian/pool/${name}`],
  sha256: createHash('sha256').update(`${name} ${version}`).digest('hex'),
  sizeBytes: 1,
  ...more,
});
const krbPin = pin('libkrb', '1.21-5+deb13u1', { source: { name: 'krb5', version: '1.21-5+deb13u1' } });
const gzipPin = pin('gzip', '1.13');
const lock: Lock = {
  version: 1,
  inputs: {
    ...emptyLock.inputs,
    library: { declaration: library, pins: [krbPin] },
    gzip: { declaration: archiver, pins: [gzipPin] },
    file: { declaration: { kind: 'url', urls: ['https://example.org/file'] }, pins: [pin('file', '1')] },
  },
};
const part = (name: string, pinned: PinnedFile, fixes: readonly string[] = []): AuditedPart => ({
  name,
  sha256: [pinned.sha256],
  fixes,
  purl: `pkg:generic/${name}@${pinned.version}`,
});
const parts = [part('libkrb', krbPin), part('gzip', gzipPin, ['CVE-2026-41992'])];

async function auditAgainst(changes: Partial<Contents> = {}, audited = parts, keys = [key]) {
  const { krbVersion, gzipVersion, lacks, inPackage } = { ...usual, ...changes };
  const files = new Map<string, Buffer>();
  const put = (path: string, bytes: Buffer): string => {
    files.set(path, bytes);
    return `${createHash('sha256').update(bytes).digest('hex')} ${bytes.length} ${path.split('/').at(-1)!}`;
  };
  const debianPart = async (source: string, version: string, changelog: string): Promise<string> => {
    const tar = await lzma.compress(tarOf([{ name: 'debian/changelog', data: changelog }]));
    const file = version.replace(/^\d+:/, '');
    const original = `${'a'.repeat(64)} 10 ${source}_${file.split('-')[0]!}.orig.tar.xz`;
    return (
      `Package: ${source}\nVersion: ${version}\nDirectory: pool/${source}\nChecksums-Sha256:\n ${original}\n ` +
      `${put(`pool/${source}/${source}_${file}.debian.tar.xz`, tar)}\n\n`
    );
  };
  const data = await lzma.compress(
    tarOf([{ name: './usr/share/doc/libkrb/changelog.Debian.gz', data: gzipSync(inPackage) }]),
  );
  const [sha256, size] = put('pool/libkrb.deb', debOf(data, 'data.tar.xz')).split(' ');
  const source = krbVersion.replace(/\+b\d+$/, '');
  const packages = `Package: libkrb\nSource: krb5 (${source})\nVersion: ${krbVersion}\nFilename: pool/libkrb.deb\nSize: ${size!}\nSHA256: ${sha256!}\n`;
  const [krb, gzip] = [
    await debianPart('krb5', source, krbChanges),
    await debianPart('gzip', gzipVersion, gzipChanges),
  ];
  for (const path of lacks) files.delete(path);
  const all = [
    ...files,
    ...(await archiveFiles({ sources: gzip, signers: [key] })),
    ...(await archiveFiles({ suite: 'trixie-security', sources: krb, packages, signers: keys })),
  ];
  const { mirrors } = await serveArchive(new Map(all), lacks);
  const signal = new AbortController().signal;
  return audit(audited, { lock, mirrors, signal, keys: [key.publicKey], patience: { backoffMs: 1 } });
}

const krbPart = 'pool/krb5/krb5_1.21-5+deb13u2.debian.tar.xz';
const gzipPart = 'pool/gzip/gzip_1.13-1+deb13u1.debian.tar.xz';

test('newer packages are found with the CVEs that their changelogs name since, and patches of ours count', async () => {
  const { findings, unknown, sources } = await auditAgainst();
  expect(findings).toEqual([
    {
      source: 'gzip',
      origin: 'here',
      version: '1.13',
      newest: '1:1.13-1+deb13u1',
      isBehind: false,
      packages: ['gzip'],
      parts: ['gzip'],
      purls: ['pkg:generic/gzip@1.13'],
      cves: ['CVE-2026-41991'],
      isSecurity: false,
      isServed: true,
    },
    {
      source: 'krb5',
      origin: 'debian',
      version: '1.21-5+deb13u1',
      newest: '1.21-5+deb13u2',
      isBehind: true,
      packages: ['libkrb'],
      parts: ['libkrb'],
      purls: ['pkg:generic/libkrb@1.21-5+deb13u1'],
      cves: ['CVE-2026-1999', 'CVE-2026-2000'],
      isSecurity: true,
      isServed: true,
    },
  ]);
  expect([unknown, sources]).toEqual([[], 2]);
});

test('what is of the newest version, and has all fixes, is no finding', async () => {
  const fixed = part('gzip', gzipPin, ['CVE-2026-41991', 'CVE-2026-41992']);
  const current = { krbVersion: '1.21-5+deb13u1' };
  expect((await auditAgainst(current, [part('libkrb', krbPin), fixed])).findings).toEqual([]);
});

test('a package that was only built again is a finding without CVEs', async () => {
  const { findings } = await auditAgainst({ krbVersion: '1.21-5+deb13u1+b1' }, [part('libkrb', krbPin)]);
  expect(findings).toMatchObject([{ newest: '1.21-5+deb13u1+b1', cves: [], isSecurity: true }]);
  expect(findings[0]).not.toHaveProperty('unread');
});

test('where no mirror has the source, the changelog in a package is enough when it goes back to what is used', async () => {
  const { findings } = await auditAgainst({ lacks: [krbPart] }, [part('libkrb', krbPin)]);
  expect(findings).toMatchObject([{ cves: ['CVE-2026-1999', 'CVE-2026-2000'] }]);
  expect(findings[0]).not.toHaveProperty('unread');
  const cut = { lacks: [krbPart], inPackage: krbChanges.split('krb5 (1.21-5+deb13u1)')[0]! };
  const [unsure] = (await auditAgainst(cut, [part('libkrb', krbPin)])).findings;
  expect(unsure).toMatchObject({ cves: [], unread: expect.stringContaining(krbPart) as string });
});

test('what cannot be read counts as if it fixed CVEs, and what is listed and not served is said to be', async () => {
  const [gzip] = (await auditAgainst({ lacks: [gzipPart, 'pool/gzip/gzip_1.13.orig.tar.xz'] }, [parts[1]!]))
    .findings;
  expect(gzip).toMatchObject({
    isServed: false,
    unread: expect.stringContaining('HTTP status 404') as string,
  });
  const [judged] = judge([gzip!], [], '2026-11-30').findings;
  expect(judged).toMatchObject({ level: 'cve', openCves: [] });
});

test('a suite that somebody else signed is not believed', async () => {
  const other = await signingKey();
  await expect(auditAgainst({}, parts, [other])).rejects.toMatchObject({ code: 'LOCK_SIGNATURE' });
});

test('what nobody lists versions of is told, with the reason', async () => {
  const old = pin('old', '1');
  const audited = [
    part('file', pin('file', '1')),
    part('local', pin('elsewhere', '1')),
    { name: 'folder', sha256: [], fixes: [] },
    part('old', old),
  ];
  const { unknown, findings } = await auditAgainst({}, audited);
  expect(findings).toEqual([]);
  expect(unknown.map(({ part: name }) => name)).toEqual(['file', 'local', 'folder', 'old']);
  expect(unknown[0]?.reason).toContain('a plain URL');
  expect(unknown[1]?.reason).toContain('not in the lock');
});

test('waivers take off one CVE or all of a source, until their last day, and unneeded ones are told', async () => {
  const { findings } = await auditAgainst();
  const until = '2026-12-31';
  const waivers: Waiver[] = [
    { source: 'gzip', cve: 'CVE-2026-41991', reason: 'of a test', until },
    { source: 'krb5', reason: 'nobody uses it', until },
    { source: 'sed', reason: 'not there', until },
  ];
  const before = judge(findings, waivers, '2026-12-31');
  expect(before.findings.map(({ level, openCves }) => [level, openCves])).toEqual([
    [undefined, []],
    [undefined, []],
  ]);
  expect(before.unused).toEqual([waivers[2]]);
  const after = judge(findings, waivers, '2027-01-01');
  expect(after.findings.map(({ level }) => level)).toEqual(['cve', 'cve']);
  expect(after.expired).toEqual(waivers);
  const one = [{ source: 'krb5', cve: 'CVE-2026-2000', reason: 'of a test', until }];
  expect(judge(findings, one, '2026-12-01').findings[1]).toMatchObject({
    level: 'cve',
    openCves: ['CVE-2026-1999'],
  });
});

test('levels are cve, then security, then update; waived is none', () => {
  const of = (limit: 'update' | 'security' | 'cve') =>
    (['cve', 'security', 'update', undefined] as const).filter((level) => reaches(level, limit));
  expect([of('cve'), of('security'), of('update')]).toEqual([
    ['cve'],
    ['cve', 'security'],
    ['cve', 'security', 'update'],
  ]);
});

test('its records are as the schema says, and people are shown the same', async () => {
  const audited = await auditAgainst();
  const waivers = [{ source: 'gzip', cve: 'CVE-2026-41991', reason: 'of a test', until: '2026-12-31' }];
  const judgement = judge(audited.findings, waivers, '2026-11-30');
  const report = { images: ['rpi@aarch64-linux'], audited, judgement };
  const text = auditRecords(report).map((record) => JSON.stringify({ v: 1, ...record }));
  const records = parseRecords(text.join('\n'));
  expect(records.map(({ type }) => type)).toEqual(['audit-finding', 'audit-finding', 'audit']);
  expect(records[2]).toMatchObject({ open: { update: 0, security: 0, cve: 1 }, waived: 1, unknown: 0 });
  const plain = (word: string): string => word;
  const style = new Proxy({}, { get: () => plain }) as Parameters<typeof auditLines>[1];
  expect(auditLines(report, style)).toEqual([
    'gzip  1.13 → 1:1.13-1+deb13u1          built here  waived',
    '  waived until 2026-12-31: CVE-2026-41991: of a test',
    'krb5  1.21-5+deb13u1 → 1.21-5+deb13u2              cve',
    '  in libkrb',
    '  fixes CVE-2026-1999, CVE-2026-2000',
    '2 sources looked at, 1 with CVEs or not readable, 0 other security updates, 0 other updates, 1 waived, 0 not known',
  ]);
});

test('a changelog that is cut off before a version says nothing of what was between', () => {
  const entries = parseChangelog(gzipChanges);
  expect(entries.map(({ version }) => version)).toEqual(['1:1.13-1+deb13u1', '1:1.13-1', '1:1.12-1']);
  expect(reachesBackTo(entries, '1.13')).toBe(true);
  expect(reachesBackTo(entries.slice(0, 2), '1.13')).toBe(false);
});
