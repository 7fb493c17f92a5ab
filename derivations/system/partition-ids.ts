// The names by which a kernel without an initrd finds its root: partition UUIDs, fixed per role and not derived from
// content, so that one kernel and one command line serve every image. Nothing else of an image is fixed like this.

import type { Target } from '../../engine/model/index.ts';

/** The MBR's disk signature, eight hex digits: partition n is then `PARTUUID=<it>-0n`. */
export const mbrDiskId = '5a3c1f00';

/** GUIDs of a GPT disk and of its partitions. They say which role a partition has, not which image it is of. */
export const gptIds = {
  disk: '5a3c1f00-ca12-4e00-8000-000000000000',
  boot: '5a3c1f00-ca12-4e00-8000-000000000001',
  root: '5a3c1f00-ca12-4e00-8000-000000000002',
} as const;

/** Partition UUIDs as the kernel names them, by partition table. */
export const partitionUuids = {
  mbr: { boot: `${mbrDiskId}-01`, root: `${mbrDiskId}-02` },
  gpt: { boot: gptIds.boot, root: gptIds.root },
} as const;

/** Which table a target's images have: boards read MBR, UEFI PCs GPT. */
export const partitionTable = {
  'aarch64-linux': 'mbr',
  'x86_64-linux': 'gpt',
} as const satisfies Readonly<Record<Target, keyof typeof partitionUuids>>;

/**
 * The root device as a kernel's command line names it.
 * @example rootDevice('aarch64-linux') // 'PARTUUID=5a3c1f00-02'
 */
export function rootDevice(target: Target): string {
  return `PARTUUID=${partitionUuids[partitionTable[target]].root}`;
}
