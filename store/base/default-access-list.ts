// Default access lists (acl(5)): what is made in a folder that has one gets the modes that the list says, not those that its program
// asked for, so a step's files would be others in a store that lies in such a folder. Node reads no extended attributes, but
// their effect can be seen.

import { closeSync, fstatSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from './errors.ts';

const permissions = 0o777;

/** Whether a folder has one. It has to be one that files can be made in; on the main thread only, for the umask is the process's. */
export function hasDefaultAccessList(folder: string): boolean {
  const path = join(folder, 'access-list-probe');
  // Where there is such a list, the umask does not count.
  const umask = process.umask(permissions);
  try {
    const file = openSync(path, 'wx', 0o666);
    try {
      return (fstatSync(file).mode & permissions) !== 0;
    } finally {
      closeSync(file);
      unlinkSync(path);
    }
  } finally {
    process.umask(umask);
  }
}

export function defaultAccessList(): UserError {
  return new UserError(
    'STORE_UNUSABLE',
    "the store's folder has a default access list, and modes in results would follow it",
    {
      hint: 'Take it away with `setfacl -R -k FOLDER`, or put the store elsewhere with CAIRN_STORE.',
      fault: 'environment',
    },
  );
}
