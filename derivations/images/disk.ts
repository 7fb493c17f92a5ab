// A disk as a typed description: its partition table, and what is on which partition. Checked here as far as that needs no
// file's size; sizes come from content, in the steps that make the partitions. Makes nothing itself.

import { UserError, type InputLike, type Target } from '../../engine/model/index.ts';

export interface Disk {
  /** Boards want MBR, UEFI computers GPT. */
  readonly table: 'mbr' | 'gpt';
  /** In the order in which they lie on the disk. */
  readonly partitions: readonly Partition[];
}

export type Partition = BootPartition | RootPartition;

interface Sized {
  /** What a partition of this size would be called by `blkid`: at most 11 characters for fat32, 16 for ext4. */
  readonly label: string;
  /** At least this much is free. Percent are of what the content takes. */
  readonly slack: Slack;
  /** The partition's size, when content and slack take less. */
  readonly minimumBytes?: number;
}

export type Slack = { readonly bytes: number } | { readonly percent: number };

/** What firmware reads, and people on any computer: at /boot in the running system. */
export interface BootPartition extends Sized {
  readonly role: 'boot';
  readonly fileSystem: 'fat32';
  readonly content: InputLike;
}

export interface RootPartition extends Sized {
  readonly role: 'root';
  readonly fileSystem: 'ext4';
  /** Every file, folder and symlink at its path. */
  readonly content: InputLike;
  /** A tree with attributes.json: owners and modes by path (see system/root-file-system.ts). */
  readonly attributes: InputLike;
  /** The running system makes it as large as the card, the first time it starts. Only the last one can. */
  readonly growsAtFirstBoot: boolean;
}

export type Role = Partition['role'];

const longestLabel = { fat32: 11, ext4: 16 } as const;

/** @throws UserError `DERIVATION_INVALID` for a disk that cannot be made, whatever is in its files. */
export function checkDisk(image: string, { partitions }: Disk): void {
  const invalid = (message: string, hint: string): never => {
    throw new UserError('DERIVATION_INVALID', `image ${image}: ${message}`, { hint });
  };
  if (partitions.length === 0) invalid('its disk has no partition', 'Give it a root partition at least.');
  partitions.forEach((partition, at) => {
    const { role, label, fileSystem, slack, minimumBytes = 0 } = partition;
    const others = partitions.slice(0, at);
    if (others.some((other) => other.role === role))
      invalid(`two partitions have the role "${role}"`, 'Take one of them out.');
    if (role === 'boot' && at > 0)
      invalid('the boot partition is not the first', 'Firmware looks there: put it first.');
    if (label.length > longestLabel[fileSystem])
      invalid(
        `the label "${label}" is too long for ${fileSystem}`,
        `Use at most ${longestLabel[fileSystem]} characters.`,
      );
    if (!labelPatterns[fileSystem].test(label))
      invalid(`"${label}" cannot be a label of ${fileSystem}`, labelHints[fileSystem]);
    const amount = 'bytes' in slack ? slack.bytes : slack.percent;
    if (!isSize(amount) || !isSize(minimumBytes))
      invalid(
        `slack and minimum size of the ${role} partition must be whole numbers, not negative`,
        'For example slack: { percent: 10 }.',
      );
    if (partition.role === 'root' && partition.growsAtFirstBoot && at < partitions.length - 1)
      invalid(
        `the ${role} partition grows and is not the last`,
        'Put it last: there is no room after any other.',
      );
  });
}

// Small letters in a label of fat32 are not shown alike everywhere.
const labelPatterns = { fat32: /^[A-Z0-9_-]+$/, ext4: /^[\w.-]+$/ } as const;
const labelHints = {
  fat32: 'Use capital letters, digits, "_" and "-".',
  ext4: 'Use letters, digits, "_", "-" and ".".',
} as const;

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

const linuxRoot: Readonly<Record<Target, string>> = {
  'aarch64-linux': 'B921B045-1DF0-41C3-AF44-4C6F280D3FAE',
  'x86_64-linux': '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709',
};

/** What a partition table says of a partition's purpose: uapi-group.org, Discoverable Partitions Specification. */
export function partitionType(table: Disk['table'], role: Role, target: Target): string {
  if (table === 'mbr') return role === 'boot' ? 'c' : '83';
  return role === 'boot' ? 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B' : linuxRoot[target];
}
