// Owners and modes on their way into a root: what archives have, what features and cards say, and what becomes of both.
// The programs are run as their steps run them.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRootFileSystem, systems } from '../../derivations/system/index.ts';
import {
  archiveAttributesProgram,
  attributesProgram,
  rootTreeModule,
} from '../../derivations/system/programs/index.ts';
import { pins } from '../support/package-set.ts';
import { pythonFixture, type PythonFixture } from '../support/python-tools.ts';
import { execute, literalOf, scriptRequest, treeOf, type Literal } from '../support/sandbox-run.ts';

type Attributes = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const binutils = [
  'binutils-x86-64-linux-gnu',
  'libbinutils',
  'libjansson4',
  'libctf-nobfd0',
  'libsframe1',
  'libzstd1',
];
const tar = ['tar', 'libacl1', 'libselinux1', 'libpcre2-8-0'];

let fixture: PythonFixture;
beforeAll(async () => {
  fixture = await pythonFixture([...binutils, ...tar], { 'usr/bin/ar': 'x86_64-linux-gnu-ar' });
});
afterAll(() => fixture.close());

/** What a program makes of some inputs, and what it says when it does not. */
async function attributesOf(
  program: string,
  inputs: Readonly<Record<string, Literal>>,
  setup = '',
): Promise<Attributes | string> {
  const given = { ...inputs, '/program': { 'program.py': program, 'root_tree.py': rootTreeModule } };
  const request = scriptRequest(fixture, `${setup}\nexec python3 /program/program.py`, {
    layers: [fixture.root, fixture.tools.digest],
    inputs: await Promise.all(
      Object.entries(given).map(async ([path, literal]) => ({
        path,
        node: await treeOf(fixture.store, literal),
      })),
    ),
    // The seed's programs, before those of the fixture.
    env: { PYTHONDONTWRITEBYTECODE: '1', PATH: '/usr/bin:/bin' },
  });
  const { result, text } = await execute(fixture.executor, request);
  if (result.kind !== 'succeeded') return text;
  const { 'attributes.json': json } = (await literalOf(fixture.store, result.outputs['out']!)) as Record<
    string,
    string
  >;
  return JSON.parse(json!) as Attributes;
}

describe('what an archive says', () => {
  it('is kept where it is not what every file has: set-user-id bits, groups, modes', async () => {
    const pack = `set -eu
      mkdir -p /archives /data/usr/bin /data/var/mail /data/etc
      touch /data/usr/bin/sudo /data/usr/bin/plain /data/usr/bin/wall /data/etc/secret /data/etc/plain
      chmod 4755 /data/usr/bin/sudo; chmod 2755 /data/usr/bin/wall; chmod 755 /data/usr/bin/plain
      chmod 2775 /data/var/mail; chmod 440 /data/etc/secret; chmod 644 /data/etc/plain
      cd /archives
      entry() { /usr/bin/tar --append --file data.tar --directory /data --no-recursion --owner=root:0 --group="$1" "./$2"; }
      entry tty:5 usr/bin/wall; entry mail:8 var/mail
      for path in usr usr/bin usr/bin/sudo usr/bin/plain etc/secret etc/plain; do entry root:0 $path; done
      /usr/bin/ar rc tools.deb data.tar && rm data.tar`;
    expect(await attributesOf(archiveAttributesProgram, {}, pack)).toEqual({
      'usr/bin/sudo': { mode: '4755', owner: 'root', group: 'root' },
      'usr/bin/wall': { mode: '2755', owner: 'root', group: 'tty' },
      'var/mail': { mode: '2775', owner: 'root', group: 'mail' },
      'etc/secret': { mode: '0440', owner: 'root', group: 'root' },
    });
  });
});

describe("a root's owners and modes", () => {
  const declared = {
    users: { root: 0, me: 1000 },
    groups: { root: 0, shadow: 42 },
    ifThere: { 'usr/bin/su': { mode: '4755' }, 'usr/bin/passwd': { mode: '4755' } },
    attributes: { 'etc/shadow': { mode: '0640', owner: 'root', group: 'shadow' } },
  };
  const root = {
    usr: { bin: { su: '*su', sudo: '*sudo' } },
    etc: { shadow: 'x' },
    home: { me: { file: '' } },
  };
  const from = (more: object, archive: object = {}): Promise<Attributes | string> =>
    attributesOf(attributesProgram, {
      '/root-tree': root,
      '/declared': { 'declared.json': JSON.stringify({ ...declared, ...more }) },
      '/archives': { 0: { 'attributes.json': JSON.stringify(archive) } },
    });

  it('are those of archives, cards and features, as numbers, of what is there', async () => {
    expect(
      await from({}, { 'usr/bin/sudo': { mode: '4755', owner: 'root' }, gone: { mode: '4755' } }),
    ).toEqual({
      'usr/bin/su': { mode: '04755' },
      'usr/bin/sudo': { mode: '04755' },
      'etc/shadow': { mode: '00640', gid: 42 },
    });
  });

  it('are what a feature says where an archive says something else', async () => {
    const attributes = { 'usr/bin/sudo': { mode: '0755' }, 'home/me': { owner: 'me' } };
    expect(await from({ attributes }, { 'usr/bin/sudo': { mode: '4755' } })).toEqual({
      'usr/bin/su': { mode: '04755' },
      'home/me': { uid: 1000 },
    });
  });

  it('of what is not there, or of nobody, are an error', async () => {
    const attributes = { 'usr/bin/gone': { mode: '0755' }, 'usr/bin/su': { owner: 'you', group: 'them' } };
    expect(await from({ attributes })).toBe(
      [
        'usr/bin/gone: has attributes in a feature, and is not in the root\n',
        'usr/bin/su: belongs to them, and no feature has such a group\n',
        'usr/bin/su: belongs to you, and no feature has such a owner\n',
      ].join(''),
    );
  });
});

it.each(Object.entries(systems('aarch64-linux')))(
  'in %s, root alone changes passwords, and people through set-user-id programs',
  (_, description) => {
    const { attributes } = createRootFileSystem(description, { pins, target: 'aarch64-linux' });
    const given = attributes.kind === 'run' ? attributes.inputs['/declared']!.derivation : undefined;
    const file = given?.kind === 'write' ? given.files['declared.json'] : undefined;
    const declared = JSON.parse(file !== undefined && 'text' in file ? file.text : '') as Record<
      'ifThere' | 'attributes',
      Attributes
    >;
    expect(declared.attributes['etc/shadow']).toEqual({ mode: '0640', owner: 'root', group: 'shadow' });
    expect(declared.ifThere).toMatchObject(
      Object.fromEntries(
        [
          'su',
          'passwd',
          'mount',
          'umount',
          'newgrp',
          'gpasswd',
          'chfn',
          'chsh',
          'newuidmap',
          'newgidmap',
        ].map((name) => [`usr/bin/${name}`, { mode: '4755' }]),
      ),
    );
  },
);
