// What a file system without hard links (FAT, some network and cloud drives) means for a store, in one sentence for all who
// find out. Asks nothing itself.

import { isErrno, UserError } from './errors.ts';

/** Whether link(2) failed because there are none, not because of the names. */
export function lacksHardLinks(error: unknown): boolean {
  return isErrno(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK');
}

export function noHardLinks(cause: unknown): UserError {
  return new UserError(
    'STORE_UNUSABLE',
    "the file system of the store has no hard links, and the store's database needs them",
    { hint: 'Put the store on ext4, xfs or btrfs with CAIRN_STORE.', fault: 'environment', cause },
  );
}
