// A step's files have the modes that it asks for, or it is not run: where a default access list says otherwise, all that the store's
// folder holds would have those of the list.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeWorkFolder } from '../../../engine/sandbox/work-folder.ts';
import { hasDefaultAccessList } from '../../../store/base/default-access-list.ts';
import { unpackPackage } from '../../support/debian-files.ts';
import { failureOf } from '../../support/failure-of.ts';
import { tempFolder } from '../../support/temp-folder.ts';

// Of an older Debian, so that it finds its libraries on older and newer systems.
const acl = {
  urls: ['mirror://debian/pool/main/a/acl/acl_2.3.1-3_amd64.deb'],
  sha256: 'a6954f6eaebac71a758b5da0c9aea8e41fe300122c5a19e15d7ccc9f9c04a2f3',
};

async function setfacl(...args: readonly string[]): Promise<void> {
  const folder = tempFolder('acl');
  await unpackPackage(acl, folder, ['./bin/setfacl']);
  execFileSync(join(folder, 'bin/setfacl'), args);
}

it.each([
  ['a stranger may all', 'u::rwx,g::---,o::---,u:65533:rwx,m::rwx'],
  ['everybody may all', 'u::rwx,g::rwx,o::rwx'],
  ['what a umask would leave', 'u::rwx,g::r-x,o::r-x'],
  ['nobody else may anything', 'u::rwx,g::---,o::---'],
])('a default access list is seen, and no step is run in it: %s', async (_, entries) => {
  const folder = tempFolder('listed');
  await setfacl('-d', '-m', entries, folder);
  // It is told by the umask, which is as it was afterwards.
  const umask = process.umask(0o027);
  expect(hasDefaultAccessList(folder)).toBe(true);
  expect(process.umask(umask)).toBe(0o027);
  const error = await failureOf(
    Promise.resolve().then(() => makeWorkFolder(join(folder, 'work'), { outputs: ['out'] })),
  );
  expect(error).toMatchObject({ code: 'STORE_UNUSABLE', hint: expect.stringContaining('setfacl') as string });
});

it('a list for the folder alone, and none, are no hindrance', async () => {
  const folder = tempFolder('listed');
  expect(hasDefaultAccessList(folder)).toBe(false);
  await setfacl('-m', 'u:65533:rwx', folder);
  expect(hasDefaultAccessList(folder)).toBe(false);
  mkdirSync(join(folder, 'within'));
  makeWorkFolder(join(folder, 'within/work'), { outputs: ['out'] });
  expect(readdirSync(folder)).toEqual(['within']);
});
