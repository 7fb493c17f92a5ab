// `cairn lock` of a source that is to stay within a series of releases, against small archives made for it.

import { beforeAll, describe, expect, test } from 'vitest';
import { emptyLock } from '../../../engine/lock/lock-file.ts';
import type { DebianSource } from '../../../engine/model/flake.ts';
import { failureOf } from '../../support/failure-of.ts';
import { archiveFiles, serveArchive, signingKey, type SigningKey } from './fake-archive.ts';
import { updateWith } from './updating.ts';

let key: SigningKey;
beforeAll(async () => {
  key = await signingKey();
});

const longTerm: DebianSource = { kind: 'debian-source', suite: 'trixie', package: 'linux', series: '6.12' };

function poolPath(version: string, folder = 'pool/l'): string {
  return `${folder}/linux_${version}.orig.tar.xz`;
}

function stanza(version: string, { folder = 'pool/l', isKept = false } = {}): string {
  const sha256 = Buffer.from(version.padEnd(32)).toString('hex');
  const kept = isKept ? 'Extra-Source-Only: yes\n' : '';
  return `Package: linux\nVersion: ${version}-1\nDirectory: ${folder}\n${kept}Checksums-Sha256:\n ${sha256} 10 linux_${version}.orig.tar.xz\n`;
}

interface Asked {
  /** Stanzas by suite. */
  readonly suites: Readonly<Record<string, readonly string[]>>;
  readonly lacks?: readonly string[];
  readonly declaration?: DebianSource;
  readonly lock?: Parameters<typeof updateWith>[1]['lock'];
}

async function locked({ suites, lacks = [], declaration = longTerm, lock = emptyLock }: Asked) {
  const files = new Map<string, Buffer>();
  for (const [suite, stanzas] of Object.entries(suites)) {
    const sources = stanzas.join('\n');
    for (const [path, bytes] of await archiveFiles({ suite, sources, signers: [key] }))
      files.set(path, bytes);
  }
  const { mirrors } = await serveArchive(files, lacks);
  const result = await updateWith(key, { inputs: { linux: declaration }, mirrors, lock });
  return { ...result, pin: result.lock.inputs['linux']!.pins[0]! };
}

test('what Debian adds to a source is pinned by its own version, of the newest that has such an archive served', async () => {
  const part = (revision: string): string =>
    ` ${Buffer.from(revision.padEnd(32)).toString('hex')} 20 linux_6.12.9-${revision}.debian.tar.xz\n`;
  const of = (revision: string): string =>
    stanza('6.12.9')
      .replace('6.12.9-1', `1:6.12.9-${revision}`)
      .replace(/\n$/, `\n${part(revision)}`);
  const declaration: DebianSource = {
    kind: 'debian-source',
    suite: 'trixie',
    package: 'linux',
    part: 'debian',
  };
  const suites = { trixie: [of('1'), of('2')] };
  const { pin } = await locked({ suites, declaration });
  expect(pin).toMatchObject({
    version: '1:6.12.9-2',
    urls: ['mirror://debian/pool/l/linux_6.12.9-2.debian.tar.xz'],
    sizeBytes: 20,
  });
  const lacks = ['pool/l/linux_6.12.9-2.debian.tar.xz'];
  expect((await locked({ suites, declaration, lacks })).pin.version).toBe('1:6.12.9-1');
});

describe('a source of a series', () => {
  test('is the newest of it, and never of another, however new', async () => {
    const trixie = ['6.12.9', '6.12.107', '6.13.1', '6.1.200', '6.120.1', '7.1.3'].map((one) => stanza(one));
    const { pin } = await locked({ suites: { trixie } });
    expect(pin).toMatchObject({ version: '6.12.107', urls: [`mirror://debian/${poolPath('6.12.107')}`] });
  });

  test('moves on within it when there is a newer one', async () => {
    const before = await locked({ suites: { trixie: [stanza('6.12.107')] } });
    const suites = { trixie: [stanza('6.12.107'), stanza('6.12.110'), stanza('6.13')] };
    const { changes } = await locked({ suites, lock: before.lock });
    expect(changes).toMatchObject([{ input: 'linux', from: '6.12.107', to: '6.12.110' }]);
  });

  test('may be its first release, which has no further number', async () => {
    const { pin } = await locked({ suites: { trixie: [stanza('6.12'), stanza('6.13')] } });
    expect(pin.version).toBe('6.12');
  });

  test('is found where the suite has gone on to another and keeps it only for what was built with it', async () => {
    const trixie = [stanza('6.12.107', { isKept: true }), stanza('7.3.4')];
    expect((await locked({ suites: { trixie } })).pin.version).toBe('6.12.107');
  });

  test('is taken from whichever of its suites has the newest, and from the first where they have the same', async () => {
    const declaration = { ...longTerm, furtherSuites: ['trixie-security'] };
    const folder = 'pool/updates/l';
    const newer = {
      trixie: [stanza('6.12.107')],
      'trixie-security': [stanza('6.12.107', { folder }), stanza('6.12.108', { folder })],
    };
    expect((await locked({ suites: newer, declaration })).pin.urls).toEqual([
      `mirror://debian-security/${poolPath('6.12.108', folder)}`,
    ]);
    const same = { ...newer, 'trixie-security': [stanza('6.12.107', { folder })] };
    expect((await locked({ suites: same, declaration })).pin.urls).toEqual([
      `mirror://debian/${poolPath('6.12.107')}`,
    ]);
  });

  test('is the newest that is served', async () => {
    const trixie = ['6.12.107', '6.12.111', '6.12.118', '6.13.1'].map((one) => stanza(one));
    const lacks = [poolPath('6.12.111'), poolPath('6.12.118')];
    const { pin, notices } = await locked({ suites: { trixie }, lacks });
    expect(pin.version).toBe('6.12.107');
    expect(notices.join('\n')).toContain(
      'Debian lists linux 6.12.118, but no mirror serves it, and 6.12.107 is taken',
    );
  });

  test('that no suite has is an error which says what there is', async () => {
    const error = await failureOf(locked({ suites: { trixie: [stanza('6.13.1'), stanza('7.1.3')] } }));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toBe('Debian trixie has no linux 6.12 or 6.12.…');
    expect(error.hint).toBe('It has 6.13.1, 7.1.3.');
  });

  test('is not one of a version, too', async () => {
    const declaration = { ...longTerm, version: '6.12.107' };
    const error = await failureOf(locked({ suites: { trixie: [stanza('6.12.107')] }, declaration }));
    expect(error.message).toBe('inputs.linux.series: it must not be there beside version, which says more');
  });

  test.each(['', '6.', '.12', '6.12.*', '6 12'])('is not "%s"', async (series) => {
    const error = await failureOf(locked({ suites: { trixie: [] }, declaration: { ...longTerm, series } }));
    expect(error.message).toBe('inputs.linux.series: it must be how versions begin, such as 6.12');
  });
});
