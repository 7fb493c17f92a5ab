// What a mirror, or whoever stands between, makes of a signed InRelease: it is refused, or says what was signed.

import { expect, it } from 'vitest';
import { verifyRelease, type Release } from '../../../engine/lock/debian-release.ts';
import { UserError } from '../../../store/base/errors.ts';
import { damagedVersions } from '../../support/damage.ts';
import { archiveFiles, signingKey } from './fake-archive.ts';

const key = await signingKey();
const text = (await archiveFiles({ signers: [key] })).get('dists/trixie/InRelease')!;

function verified(bytes: Buffer): Promise<Release> {
  return verifyRelease(bytes.toString(), { suite: 'trixie', url: 'InRelease', keys: [key.publicKey] });
}

/** What it says, or that it was refused as such a text has to be. */
async function outcome(bytes: Buffer): Promise<Release | 'refused'> {
  try {
    return await verified(bytes);
  } catch (error) {
    if (error instanceof UserError && error.code === 'LOCK_SIGNATURE') return 'refused';
    throw new Error(bytes.toString('latin1'), { cause: error });
  }
}

it('a release that was damaged is refused, or says what was signed', async () => {
  const signed = await verified(text);
  const outcomes: (Release | 'refused')[] = [];
  for (const damaged of damagedVersions(text, 7, 60)) outcomes.push(await outcome(damaged));
  for (const result of outcomes) if (result !== 'refused') expect(result).toEqual(signed);
  expect(outcomes).toContain('refused');
});

it('what stands before, behind and between what was signed is not believed', async () => {
  const lie = `SHA256:\n ${'f'.repeat(64)} 1 main/binary-amd64/Packages.xz\n`;
  const [head = '', ...rest] = text.toString().split('\n\n');
  for (const versions of [
    `${lie}\n${text.toString()}`,
    `${text.toString()}\n${lie}`,
    [`${head}\n${lie}`, ...rest].join('\n\n'),
    [head, lie, ...rest].join('\n\n'),
    text.toString().replace('-----BEGIN PGP SIGNATURE', `${lie}-----BEGIN PGP SIGNATURE`),
  ]) {
    const result = await outcome(Buffer.from(versions));
    if (result !== 'refused') expect(result).toEqual(await verified(text));
  }
});

it.each([
  ['nothing', Buffer.alloc(0)],
  ['lines without end', Buffer.alloc(20_000_000, '\n')],
  ['heads without end', Buffer.alloc(1_000_000, '-----BEGIN PGP SIGNED MESSAGE-----\n')],
])('%s is refused', async (_, bytes) => {
  await expect(outcome(bytes)).resolves.toBe('refused');
});
