// The keys that cairn trusts are the ones its page about them lists.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readKey } from 'openpgp';
import { expect, test } from 'vitest';
import { readArchiveKeys } from '../../../engine/lock/debian-release.ts';
import { packageRoot } from '../../../store/base/package-root.ts';

test('Debian’s archive keys have the fingerprints that are written beside them', async () => {
  const page = readFileSync(join(packageRoot, 'engine/lock/debian-keys/README.md'), 'utf8');
  const listed = [...page.matchAll(/`([0-9A-F]{40})`/g)].map(([, fingerprint]) => fingerprint);
  const keys = await Promise.all((await readArchiveKeys()).map((armoredKey) => readKey({ armoredKey })));
  expect(keys.map((key) => key.getFingerprint().toUpperCase())).toEqual(listed);
  expect(keys.every((key) => !key.isPrivate())).toBe(true);
});
