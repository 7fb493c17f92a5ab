// An update of a lock, as tests of `cairn lock` run it: against what the test says, with nothing of this machine.

import { emptyLock } from '../../../engine/lock/lock-file.ts';
import { updateLock, type LockUpdate, type UpdateLockOptions } from '../../../engine/lock/update-lock.ts';
import type { DebianPackages, DebianSource, InputDeclaration } from '../../../engine/model/flake.ts';
import { openMirrors } from '../../../engine/sources/mirrors.ts';
import type { SigningKey } from './fake-archive.ts';

export const sed: DebianSource = { kind: 'debian-source', suite: 'trixie', package: 'sed' };
export const seed: DebianPackages = {
  kind: 'debian-packages',
  suite: 'trixie',
  architecture: 'amd64',
  packages: ['sed'],
};

export interface Update extends Partial<UpdateLockOptions> {
  readonly inputs: Readonly<Record<string, InputDeclaration>>;
}

/** Runs an update with what the test says of it, and collects its notices. */
export async function updateWith(
  key: SigningKey,
  { inputs, ...options }: Update,
): Promise<LockUpdate & { notices: string[] }> {
  const notices: string[] = [];
  const result = await updateLock({
    flake: { inputs, mirrors: {} },
    lock: emptyLock,
    signal: new AbortController().signal,
    emit: (event) => event.type === 'notice' && notices.push(event.message),
    mirrors: openMirrors({ env: {}, aptFolder: '/nonexistent' }),
    archiveKeys: [key.publicKey],
    patience: { backoffMs: 1 },
    ...options,
  });
  return { ...result, notices };
}
