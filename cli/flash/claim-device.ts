// Opens a device for writing, so that nothing else uses it meanwhile. Knows nothing of what will be written.

import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { isErrno, UserError } from '../../store/base/errors.ts';
import { lookAtDevice, type Device } from './device.ts';

/**
 * The device, open, and still the one that was looked at. O_EXCL claims a block device: nothing can mount it meanwhile, and
 * opening fails when something has. Files cannot be claimed.
 * @throws UserError `DEVICE_UNSUITABLE` when it is in use, another one by now, or not this person's to write to.
 */
export async function claimDevice(device: Device): Promise<FileHandle> {
  const { path, isFile } = device;
  const handle = await openExclusively(path, isFile);
  try {
    // Between looking and this lie a build and a question: another card may have its name by now.
    const now = await lookAtDevice(device.named);
    const { rdev, ino } = await handle.stat({ bigint: true });
    const isOpen = now.identity === device.identity && device.identity.startsWith(`${isFile ? ino : rdev} `);
    if (isOpen) return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  throw new UserError(
    'DEVICE_UNSUITABLE',
    `${device.named} is not the device any more that it was at first`,
    {
      hint: 'Nothing was written. Look at what it is now, and begin again.',
      fault: 'environment',
    },
  );
}

async function openExclusively(path: string, isFile: boolean): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDWR | (isFile ? 0 : constants.O_EXCL));
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM', ...Object.keys(hints))) throw error;
    throw new UserError('DEVICE_UNSUITABLE', `${path} cannot be opened: ${error.message}`, {
      hint:
        hints[error.code!] ??
        `It is another user's. Make it yours until it is pulled out: sudo chown "$USER" ${path}`,
      fault: 'environment',
      cause: error,
    });
  }
}

const gone = 'It was there before: it may have been pulled out. Nothing was written.';
const hints: Readonly<Record<string, string>> = {
  EROFS: 'Look for the switch at the side of the card or its adapter.',
  EBUSY: 'Something on this machine uses it. Unmount it.',
  ENOMEDIUM: 'There is no card in it.',
  ENOENT: gone,
  ENXIO: gone,
  ENODEV: gone,
};
