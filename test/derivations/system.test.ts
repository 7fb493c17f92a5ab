// Systems out of features: what is joined, and what two of them must not both say. Nothing is built.

import { describe, expect, it } from 'vitest';
import { accounts } from '../../derivations/system/accounts.ts';
import { createRootFileSystem, systems, type Feature, type User } from '../../derivations/system/index.ts';
import { rootArguments } from '../../derivations/kernel/command-line.ts';
import { refuseTwoVersions, tolerated, versionsBySource } from '../../derivations/system/one-version.ts';
import { mergeFeatures } from '../../derivations/system/merge-features.ts';
import { serviceLinks } from '../../derivations/system/services.ts';
import { pins } from '../support/package-set.ts';

const user = (name: string, id: number, more: Partial<User> = {}): User => ({ name, id, home: '/', ...more });
const root: Feature = {
  name: 'base',
  users: [user('root', 0, { shell: '/bin/sh' })],
  groups: [{ name: 'shadow', id: 42 }],
};

/** The account files of a system with these features. */
function accountsOf(...features: readonly Feature[]) {
  const { users, groups } = mergeFeatures('test', [root, ...features]);
  return accounts('test', users, groups);
}

const invalid = (message: string): unknown =>
  expect.objectContaining({ code: 'DERIVATION_INVALID', message, hint: expect.any(String) as string });

describe('two features that say something about one', () => {
  it.each<[string, Partial<Feature>, string]>([
    ['user', { users: [user('me', 1000)] }, 'user "me"'],
    ['group', { groups: [{ name: 'video', id: 44 }] }, 'group "video"'],
    ['service', { services: { enabled: { 'ssh.service': 'multi-user.target' } } }, 'service "ssh.service"'],
    ['masked unit', { services: { masked: ['x.timer'] } }, 'masked unit "x.timer"'],
    ['file', { files: { 'etc/motd': '' } }, 'file "etc/motd"'],
    ['folder', { folders: { tmp: { mode: '1777' } } }, 'folder "tmp"'],
  ])('%s are an error that names both', (_, part, what) => {
    const features: readonly Feature[] = [
      { name: 'first', ...part },
      { name: 'second', ...part },
    ];
    expect(() => mergeFeatures('test', features)).toThrow(
      invalid(`test: ${what}: features first and second both have it`),
    );
  });

  it('a user twice in one feature is named with it', () => {
    const feature = { name: 'people', users: [user('me', 1000), user('me', 1001)] };
    expect(() => mergeFeatures('test', [feature])).toThrow(
      invalid('test: user "me": feature people has it twice'),
    );
  });
});

describe('accounts', () => {
  it('are the files that a system reads, by id', () => {
    const { files, groupIds } = accountsOf({
      name: 'people',
      users: [user('me', 1000, { about: 'Me', home: '/home/me', shell: '/bin/bash' }), user('daemon', 1)],
      groups: [{ name: 'docker', id: 900, members: ['me'] }],
    });
    expect(files['etc/passwd']).toBe(
      'root:x:0:0::/:/bin/sh\ndaemon:x:1:1::/:/usr/sbin/nologin\nme:x:1000:1000:Me:/home/me:/bin/bash\n',
    );
    expect(files['etc/group']).toBe('root:x:0:\ndaemon:x:1:\nshadow:x:42:\ndocker:x:900:me\nme:x:1000:\n');
    expect(files['etc/shadow']).toEqual({
      text: 'root:*:::::::\ndaemon:*:::::::\nme:*:::::::\n',
      mode: '0640',
      owner: 'root',
      group: 'shadow',
    });
    expect(groupIds).toMatchObject({ docker: 900, me: 1000 });
  });

  it.each<[string, Partial<Feature>, string]>([
    ['one id for two users', { users: [user('a', 5), user('b', 5)] }, 'users "a" and "b" both have the id 5'],
    [
      'one id for two groups',
      { groups: [{ name: 'a', id: 42 }] },
      'groups "shadow" and "a" both have the id 42',
    ],
    [
      'a member that is nobody',
      { groups: [{ name: 'a', id: 7, members: ['you'] }] },
      'there is no member "you" of group "a"',
    ],
    [
      'a primary group that is not there',
      { users: [user('a', 5, { group: 'staff' })] },
      'there is no group "staff" of user "a"',
    ],
    [
      'a group of the name of a user who has one already',
      { users: [user('shadow', 42)] },
      'user "shadow" already has a group of that name',
    ],
  ])('%s is an error', (_, feature, message) => {
    expect(() => accountsOf({ name: 'people', ...feature })).toThrow(invalid(`test: ${message}`));
  });
});

describe('the systems of this repository', () => {
  const described = Object.entries(systems('aarch64-linux'));

  it.each(['aarch64-linux', 'x86_64-linux'] as const)('can be described for %s', (target) => {
    for (const description of Object.values(systems(target))) {
      const { components } = createRootFileSystem(description, { pins, target });
      const names = components.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      expect(names).toContain('libc');
    }
  });

  it.each(described)('%s lets nobody in without a key', (_, { name, features }) => {
    const { users, groups, files } = mergeFeatures(name, features);
    const shadow = accounts(name, users, groups).files['etc/shadow'] as { readonly text: string };
    expect(shadow.text.split('\n').filter((line) => line !== '' && line.split(':')[1] !== '*')).toEqual([]);
    if (features.some((feature) => feature.name === 'ssh'))
      expect(files['etc/ssh/sshd_config.d/90-keys-only.conf']).toBe('PasswordAuthentication no\n');
  });

  it.each(described)('%s keeps what is in the boot partition and in folders for its owners', (_, system) => {
    const { folders } = mergeFeatures(system.name, system.features);
    expect(folders).toMatchObject({
      root: { mode: '0700' },
      tmp: { mode: '1777' },
      'var/tmp': { mode: '1777' },
    });
    const boot = system.fstab.find(({ where }) => where === '/boot');
    expect(boot?.options.split(',')).toContain('umask=0077');
  });
});

describe('one Debian source in two versions', () => {
  const part = (name: string, version: string) => ({
    sources: [{ url: `mirror://debian/${name}.deb`, sha256: 'a'.repeat(64), source: { name, version } }],
  });
  const twins = [part('glibc', '2.41-1'), part('sed', '4.9-2'), part('glibc', '2.41-2')];

  it('is an error that names both, and how to get one', () => {
    expect(() => refuseTwoVersions('test', twins)).toThrow(
      expect.objectContaining({
        code: 'LOCK_INVALID',
        message: "test: packages of Debian's source glibc are there in different versions, 2.41-1 and 2.41-2",
        hint: expect.stringContaining('cairn lock') as string,
      }),
    );
    expect(() => refuseTwoVersions('test', [...twins.slice(0, 2), part('glibc', '2.41-1')])).not.toThrow();
  });

  it('is let through for these very versions alone, when a reason is given', () => {
    const exception = { source: 'glibc', versions: ['2.41-2', '2.41-1'], reason: 'of a test' };
    expect(() => refuseTwoVersions('test', twins, [exception])).not.toThrow();
    expect(() => refuseTwoVersions('test', [...twins, part('glibc', '2.41-3')], [exception])).toThrow();
    expect(() => refuseTwoVersions('test', twins, [{ ...exception, source: 'sed' }])).toThrow();
  });

  it('is there in no system, but where a reason says why, and no reason is left over', () => {
    const found = (['aarch64-linux', 'x86_64-linux'] as const).flatMap((target) =>
      Object.values(systems(target)).flatMap((description) => [
        ...versionsBySource(createRootFileSystem(description, { pins, target }).components),
      ]),
    );
    const several = new Set(found.flatMap(([name, { length }]) => (length > 1 ? [name] : [])));
    expect([...several].sort()).toEqual(tolerated.map(({ source }) => source).sort());
    for (const { reason } of tolerated) expect(reason).not.toBe('');
  });

  it("is known of every Debian package that an image has, for the lock keeps each one's source", () => {
    const packages = Object.values(pins).flatMap((list) =>
      list.flatMap((pin) => (pin.urls[0]!.endsWith('.deb') ? [pin] : [])),
    );
    expect(packages.length).toBeGreaterThan(200);
    expect(packages.filter(({ source }) => source === undefined)).toEqual([]);
  });
});

describe('services', () => {
  it('are started by links to their units, by every name they have, and masked ones by nobody', () => {
    const links = serviceLinks({
      enabled: { 'ssh.service': 'multi-user.target', 'getty@tty1.service': 'getty.target' },
      aliases: { 'sshd.service': 'ssh.service' },
      masked: ['apt-daily.timer'],
    });
    const [units, decisions] = ['/usr/lib/systemd/system', 'etc/systemd/system'];
    expect(links).toEqual({
      [`${decisions}/multi-user.target.wants/ssh.service`]: { symlink: `${units}/ssh.service` },
      [`${decisions}/getty.target.wants/getty@tty1.service`]: { symlink: `${units}/getty@.service` },
      [`${decisions}/sshd.service`]: { symlink: `${units}/ssh.service` },
      [`${decisions}/apt-daily.timer`]: { symlink: '/dev/null' },
    });
  });
});

it.each([
  ['aarch64-linux', 'PARTUUID=5a3c1f00-02'],
  ['x86_64-linux', 'PARTUUID=5a3c1f00-ca12-4e00-8000-000000000002'],
] as const)('a kernel for %s finds its root by the id that every root partition has', (target, root) => {
  expect(rootArguments(target)).toBe(`root=${root} rootwait rw`);
  for (const { fstab } of Object.values(systems(target)))
    expect(fstab.find(({ where }) => where === '/')?.what).toBe(root);
});
