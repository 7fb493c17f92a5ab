// Whether what caches say counts: so many trusted keys must have signed the same. Pure.

import { formatPublicKey, type PublicKey } from './keys.ts';
import { isGenuine, type SignedRecord, type Statement } from './signed-record.ts';

export interface Trust {
  readonly keys: readonly PublicKey[];
  /** How many of them must have made it, each by itself. Where that is one, it may rely on others. */
  readonly need: number;
}

/** A record, and whether it comes from a cache whose every key the person takes. */
export interface Heard {
  readonly record: SignedRecord;
  readonly takesAnyKey: boolean;
}

/** One thing that is said, and who says it, by name. */
export interface Voiced {
  readonly statement: Statement;
  readonly signers: readonly string[];
  readonly counts: boolean;
}

/**
 * What is said by keys that count, in as many versions as there are: more than one means that the step is not reproducible.
 * All records must be of one kind and about one subject. Forged ones, and those of keys that nobody trusts, are not among them.
 */
export function weigh(heard: readonly Heard[], { keys, need }: Trust): readonly Voiced[] {
  const names = new Map(keys.map((key) => [hex(key.bytes), key.name]));
  const versions = new Map<string, { statement: Statement; signers: Map<string, string>; anyKey: boolean }>();
  for (const { record, takesAnyKey } of heard) {
    const key = hex(record.key);
    const name = names.get(key);
    if ((name === undefined && !takesAnyKey) || !isGenuine(record)) continue;
    const said = hex(record.body);
    const version = versions.get(said) ?? { statement: record.statement, signers: new Map(), anyKey: false };
    versions.set(said, version);
    if (takesAnyKey) version.anyKey = true;
    // Of two who said the same, one may have had it from the other.
    if (need > 1 && !takesAnyKey && reliesOnOthers(record)) continue;
    version.signers.set(key, name ?? formatPublicKey({ name: 'unknown', bytes: record.key }));
  }
  return [...versions.values()].map(({ statement, signers, anyKey }) => ({
    statement,
    signers: [...signers.values()].sort(),
    counts: anyKey || [...signers.keys()].filter((key) => names.has(key)).length >= need,
  }));
}

/** The one version that counts; undefined when none does, or several do: then nobody can say which one is right. */
export function agreed(versions: readonly Voiced[]): Voiced | undefined {
  const counting = versions.filter(({ counts }) => counts);
  return counting.length === 1 ? counting[0] : undefined;
}

function reliesOnOthers({ statement }: SignedRecord): boolean {
  return statement.kind === 'memo' && statement.reliesOnOthers === true;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
