// Programs of Debian's that people, and the programs that they use, reach for: xz, without which Docker puts an archive into an
// image as it is instead of unpacking it, and which.

import type { Feature } from '../feature.ts';

export const tools: Feature = {
  name: 'tools',
  prebuilt: ['tools'],
  // As update-alternatives would have it.
  files: { 'usr/bin/which': { symlink: 'which.debianutils' } },
  leftOut: [
    'usr/bin/{ischroot,savelog,tempfile,run-parts,lzmainfo,xzcmp,xzdiff,xz*grep,xzless,xzmore}',
    'usr/sbin/{add-shell,remove-shell,update-shells,installkernel}',
    'usr/share/debianutils',
  ],
};

/** For `timezone` in user-data. Without it, a machine knows UTC alone. */
export const timeZones: Feature = {
  name: 'time zones',
  prebuilt: ['time-zones'],
  // A link to a file that is there only where somebody has chosen a zone.
  leftOut: ['usr/share/zoneinfo/localtime'],
};
