// What a machine says of itself (`look` of device.sh), read strictly: it is another's word. Pure.

import { UserError } from '../../store/base/errors.ts';
import { parseBootEntry, partitionIdentity, type BootEntry, type PartitionIdentity } from './boot-entry.ts';

export interface DeviceFile {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Who starts its kernel. */
export type Way = 'uefi' | 'raspberry-pi' | 'other';

export interface DeviceFacts {
  /** Another one with every start. */
  readonly start: string;
  readonly release: string;
  readonly processor: string;
  readonly way: Way;
  /** A Raspberry Pi's config.txt. */
  readonly config: string | undefined;
  /** Its boot partition; undefined when it has none that can be written to. */
  readonly boot: { readonly partition: PartitionIdentity; readonly freeBytes: number } | undefined;
  /** Files there that matter, by path. */
  readonly files: ReadonlyMap<string, DeviceFile>;
  /** The kernel that runs, when a deployment has exchanged what starts since. */
  readonly running: string | undefined;
  /** Digests of modules of the release that was asked for, by path; undefined when it has no folder for that. */
  readonly modules: ReadonlyMap<string, string> | undefined;
  /** What the firmware may be asked to start, by number. */
  readonly entries: ReadonlyMap<number, BootEntry | undefined>;
  /** The number of the entry that this start is from. */
  readonly current: number | undefined;
  /** What is not there: programs, and `efivars` where the firmware's variables cannot be reached. */
  readonly lacks: readonly string[];
}

const sum = '[0-9a-f]{64}';
const bytes = '(?:[0-9a-f]{2})*';
const lines = {
  release: /^([\w.+~-]{1,64})$/,
  processor: /^(\w{1,32})$/,
  start: /^([0-9a-f-]{36})$/,
  way: /^(uefi|raspberry-pi|other)$/,
  lacks: /^(\w{1,32})$/,
  config: new RegExp(`^(${bytes})$`),
  table: new RegExp(`^(${bytes})$`),
  boot: /^(\d{1,4}) (\d{1,15}) (\d{1,15}) (\d{1,15})$/,
  variable: new RegExp(`^(Boot(?:Current|Next|[0-9A-F]{4})) (${bytes})$`),
  file: new RegExp(`^(${sum}) (\\d{1,15}) ([^/\\s][^\\n]{0,254})$`),
  running: new RegExp(`^(${sum})$`),
  modules: /^there$/,
  module: new RegExp(`^(${sum}) ([^/\\s][^\\n]{0,1023})$`),
  end: /^$/,
} as const;

type Key = keyof typeof lines;

/** @throws UserError `HOST_FAILED` for anything that device.sh does not say */
export function parseDeviceFacts(host: string, said: string): DeviceFacts {
  const found = new Map<Key, string[][]>();
  for (const line of said.split('\n').filter((text) => text !== '')) {
    const [key = '', rest = ''] = line.split(/ (.*)/s);
    const groups = Object.hasOwn(lines, key) ? lines[key as Key].exec(rest) : null;
    if (groups === null) throw nonsense(host, line);
    found.set(key as Key, [...(found.get(key as Key) ?? []), groups.slice(1)]);
  }
  const all = (key: Key): readonly string[][] => found.get(key) ?? [];
  const one = (key: Key): string => {
    const [groups, ...more] = all(key);
    if (groups === undefined || more.length > 0) throw nonsense(host, `not one "${key}"`);
    return groups[0] ?? '';
  };
  one('end');
  const variables = new Map(all('variable').map(([name = '', hex = '']) => [name, Buffer.from(hex, 'hex')]));
  return {
    start: one('start'),
    release: one('release'),
    processor: one('processor'),
    way: one('way') as Way,
    config: all('config').length === 0 ? undefined : Buffer.from(one('config'), 'hex').toString('utf8'),
    boot: bootOf(all('boot')[0], all('table')[0]?.[0]),
    files: new Map(
      all('file').map(([sha256 = '', size, path = '']) => [path, { sha256, sizeBytes: Number(size) }]),
    ),
    running: all('running')[0]?.[0],
    modules:
      all('modules').length === 0
        ? undefined
        : new Map(all('module').map(([sha256 = '', path = '']) => [path, sha256])),
    entries: new Map(
      [...variables]
        .filter(([name]) => /^Boot[0-9A-F]{4}$/.test(name))
        .map(([name, data]) => [parseInt(name.slice(4), 16), parseBootEntry(data)]),
    ),
    current: numberIn(variables.get('BootCurrent')),
    lacks: all('lacks').map(([name = '']) => name),
  };
}

function bootOf(fields: readonly string[] | undefined, table: string | undefined): DeviceFacts['boot'] {
  if (fields === undefined || table === undefined) return undefined;
  const [number = 0, start = 0, size = 0, freeKib = 0] = fields.map(Number);
  const first = Buffer.from(table, 'hex');
  const partition = partitionIdentity(first, { number, startByte: start * 512, sizeBytes: size * 512 });
  return partition && { partition, freeBytes: freeKib * 1024 };
}

function numberIn(variable: Buffer | undefined): number | undefined {
  return variable?.length === 6 ? variable.readUInt16LE(4) : undefined;
}

function nonsense(host: string, line: string): UserError {
  const shown = JSON.stringify(line.length > 80 ? `${line.slice(0, 80)}…` : line);
  return new UserError('HOST_FAILED', `${host} gives an answer that makes no sense: ${shown}`, {
    fault: 'environment',
    hint: 'What its shell prints at every login would be one: let it print nothing when there is no terminal.',
  });
}
