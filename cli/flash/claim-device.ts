// Opens a device for writing, so that nothing else uses it meanwhile. Knows nothing of what will be written.

import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { isErrno, UserError } from '../../store/base/errors.ts';
import type { Device } from './device.ts';

/**
 * The device, open. O_EXCL claims a block device: nothing can mount it meanwhile, and opening fails when something has.
 * A file cannot be claimed, and `byForce` asks for no claim.
 * @throws UserError `DEVICE_UNSUITABLE` when it is in use, or not this person's to write to.
 */
export async function claimDevice(
  { path, isFile }: Pick<Device, 'path' | 'isFile'>,
  { byForce }: { readonly byForce: boolean },
): Promise<FileHandle> {
  const exclusive = isFile || byForce ? 0 : constants.O_EXCL;
  try {
    return await open(path, constants.O_RDWR | exclusive);
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM', 'EROFS', 'EBUSY', 'ENOMEDIUM')) throw error;
    throw new UserError('DEVICE_UNSUITABLE', `${path} cannot be opened: ${error.message}`, {
      hint: isErrno(error, 'EBUSY')
        ? 'Something on this machine uses it. Unmount it.'
        : 'Writing to devices usually takes root: run it with sudo, and name the store with --store.',
      fault: 'environment',
      cause: error,
    });
  }
}
