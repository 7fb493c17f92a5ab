// Whether this user would leave behind, in somebody's store, what that one can neither use nor remove. Root may write
// everywhere, and nobody but root may remove a read-only folder of root's: not even who owns the folder it lies in.

import { statSync } from 'node:fs';
import { UserError } from '../base/errors.ts';
import { isGroups } from '../base/make-folder.ts';

/** @throws UserError `STORE_UNUSABLE` for root in the store of another user, unless it is a group's */
export function refuseRootAsGuest(root: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, mode } = statSync(root);
  if (uid === 0 || isGroups(mode)) return;
  throw new UserError(
    'STORE_UNUSABLE',
    `the store in ${root} belongs to user ${uid}, who could not remove what root leaves in it`,
    {
      hint: `Run this as that user, or name a store of root's own with CAIRN_STORE. What root has left there before: \`chown -R --no-dereference ${uid} ${root}\`.`,
      fault: 'environment',
    },
  );
}
