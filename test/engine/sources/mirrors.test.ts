// Where mirror:// leads on machines with all kinds of apt configuration.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { aptArchives } from '../../../engine/sources/apt-archives.ts';
import { candidateUrls, openMirrors, resolveUrls, type Mirrors } from '../../../engine/sources/mirrors.ts';
import { redactUrl } from '../../../store/base/http/redact.ts';
import type { UserError } from '../../../store/base/errors.ts';
import { tempFolder } from '../../support/temp-folder.ts';

function aptFolder(files: Readonly<Record<string, string>>): string {
  const folder = tempFolder('apt');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

test('one-line apt sources name the Debian archive and its security archive', () => {
  const folder = aptFolder({
    'sources.list': `
      # deb http://commented.example/debian trixie main
      deb http://mirror.example/debian/ trixie main contrib # the usual
      deb-src [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian trixie main
      deb http://second.example/debian trixie-updates main
      deb http://security.example/debian-security trixie-security main
      deb cdrom:[Debian 13]/ trixie main
    `,
  });
  expect(aptArchives(folder)).toEqual({
    debian: ['http://mirror.example/debian', 'http://second.example/debian'],
    security: ['http://security.example/debian-security'],
  });
});

test('deb822 apt sources are read, but for those that are disabled', () => {
  const folder = aptFolder({
    'sources.list.d/debian.sources': [
      'Types: deb deb-src',
      '# a comment',
      'URIs: https://one.example/debian',
      ' https://two.example/debian/',
      'Suites: trixie trixie-updates',
      'Components: main',
      'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg',
      '',
      'Types: deb',
      'Enabled: no',
      'URIs: https://three.example/debian',
      'Suites: sid',
      'Components: main',
      '',
      'Types: deb',
      'URIs: https://one.example/debian-security',
      'Suites: trixie-security',
      'Components: main',
    ].join('\n'),
  });
  expect(aptArchives(folder)).toEqual({
    debian: ['https://one.example/debian', 'https://two.example/debian'],
    security: ['https://one.example/debian-security'],
  });
});

test('third-party archives are not taken for Debian, even when they borrow its names', () => {
  const folder = aptFolder({
    'sources.list.d/docker.list': 'deb https://vendor.example/linux/debian trixie stable\n',
    'sources.list.d/vendor.list': 'deb https://other.example/debian/13/prod trixie main\n',
    'sources.list.d/node.list': 'deb https://node.example/node_24.x nodistro main\n',
    'sources.list.d/real.list': 'deb file:/srv/debian trixie main\n',
    'sources.list.d/real.list.save': 'deb http://old.example/debian trixie main\n',
  });
  expect(aptArchives(folder).debian).toEqual(['file:///srv/debian']);
});

test('a private mirror under another path is found by its suite', () => {
  const folder = aptFolder({ 'sources.list': 'deb http://apt.team.example/pub/deb13 trixie main\n' });
  expect(aptArchives(folder).debian).toEqual(['http://apt.team.example/pub/deb13']);
});

test('a list of mirrors, as cloud images have it, is followed', () => {
  const folder = aptFolder({
    'mirrors/debian.list':
      'https://cdn.example/debian\npriority:2\nhttps://cdn2.example/debian\tpriority:2\n',
  });
  const list = join(folder, 'mirrors/debian.list');
  mkdirSync(join(folder, 'sources.list.d'));
  writeFileSync(join(folder, 'sources.list.d/a.list'), `deb mirror+file:${list} trixie main\n`);
  expect(aptArchives(folder).debian).toEqual(['https://cdn.example/debian', 'https://cdn2.example/debian']);
});

test('a list of mirrors that names itself, a list on a server and a path that none can be lead nowhere', () => {
  const folder = aptFolder({ 'mirrors/debian list': '' });
  const list = join(folder, 'mirrors/debian list');
  const uri = `mirror+file:${list.replace(' ', '%20')}`;
  writeFileSync(list, `${uri}\nhttps://cdn.example/debian\n`);
  writeFileSync(
    join(folder, 'sources.list'),
    [uri, 'mirror+file://host/list', 'mirror+file:/%zz', `mirror+file:/${'x'.repeat(5000)}`]
      .map((each) => `deb ${each} trixie main\n`)
      .join(''),
  );
  expect(aptArchives(folder).debian).toEqual(['https://cdn.example/debian']);
});

test('the flake comes before the environment, and that before the apt configuration', () => {
  const folder = aptFolder({ 'sources.list': 'deb http://apt.example/debian trixie main\n' });
  const mirrors = openMirrors({
    configured: { debian: ['https://flake.example/debian/'] },
    env: { CAIRN_MIRROR_DEBIAN: 'https://env.example/debian  /srv/my debian' },
    aptFolder: folder,
  });
  expect(() => mirrors.bases('debian')).toThrow('"debian" is not the base of a mirror');
  const good = openMirrors({
    configured: { debian: ['https://flake.example/debian/'] },
    env: { CAIRN_MIRROR_DEBIAN: 'https://env.example/debian  /srv/debian' },
    aptFolder: folder,
  });
  expect(resolveUrls('mirror://debian/pool/main/s/sed/sed_4.9.orig.tar.xz', good)).toEqual([
    'https://flake.example/debian/pool/main/s/sed/sed_4.9.orig.tar.xz',
    'https://env.example/debian/pool/main/s/sed/sed_4.9.orig.tar.xz',
    'file:///srv/debian/pool/main/s/sed/sed_4.9.orig.tar.xz',
    'http://apt.example/debian/pool/main/s/sed/sed_4.9.orig.tar.xz',
  ]);
});

test('without apt and without a setting, the error names the variable to set', () => {
  const mirrors = openMirrors({ env: {}, aptFolder: '/nonexistent' });
  const [debian, team] = ['mirror://debian/pool/x', 'mirror://my-team/x'].map((url) => hintOf(url, mirrors));
  expect(debian).toContain('CAIRN_MIRROR_DEBIAN');
  expect(team).toContain('CAIRN_MIRROR_MY_TEAM');
});

function hintOf(url: string, mirrors: Mirrors): string | undefined {
  try {
    resolveUrls(url, mirrors);
  } catch (error) {
    expect(error).toMatchObject({ code: 'FETCH_FAILED' });
    return (error as UserError).hint;
  }
  return undefined;
}

test('upstream projects have their own well-known places', () => {
  const mirrors = openMirrors({ env: {}, aptFolder: '/nonexistent' });
  expect(resolveUrls('mirror://gnu/sed/sed-4.9.tar.xz', mirrors).length).toBeGreaterThan(0);
  expect(resolveUrls('mirror://kernel/linux/kernel/x', mirrors).length).toBeGreaterThan(0);
  expect(resolveUrls('https://example.org/a.tar.gz', mirrors)).toEqual(['https://example.org/a.tar.gz']);
});

test.each([
  'mirror://debian',
  'mirror://debian/',
  'mirror:///pool/x',
  'mirror://DEBIAN/pool/x',
  'mirror://debian/../x',
  'mirror://debian/pool/%2e%2E/x',
  'mirror://debian/pool//x',
  'mirror://debian/pool/x?y',
])('%s is not a mirror URL', (url) => {
  const mirrors = openMirrors({ env: { CAIRN_MIRROR_DEBIAN: '/srv' } });
  expect(() => resolveUrls(url, mirrors)).toThrow(expect.objectContaining({ code: 'DERIVATION_INVALID' }));
});

test('collected sources come first, and folders are looked into by hash as well', () => {
  const sha256 = 'ab'.repeat(32);
  const env = { CAIRN_SOURCES: '/srv/sources', CAIRN_MIRROR_TEAM: '/srv/team https://team.example' };
  const mirrors = openMirrors({ env, aptFolder: '/nonexistent' });
  const urls = ['mirror://team/pool/x', 'mirror://debian/pool/x', 'https://example.org/x'];
  expect(candidateUrls({ urls, sha256 }, mirrors)).toEqual([
    `file:///srv/sources/by-sha256/${sha256}`,
    'file:///srv/team/pool/x',
    `file:///srv/team/by-sha256/${sha256}`,
    'https://team.example/pool/x',
    'https://example.org/x',
  ]);
});

test.each([
  ['https://example.org/a%20b/c.tar.gz', 'https://example.org/a%20b/c.tar.gz'],
  ['https://anna:secret@example.org/c', 'https://example.org/c'],
  ['https://example.org/c?token=secret&id=7#x', 'https://example.org/c?token=…&id=…'],
  ['//anna:secret@example.org/c?x=1', '//example.org/c?…'],
])('%s is shown as %s', (url, shown) => {
  expect(redactUrl(url)).toBe(shown);
});
