// Which kept folders a step is done in, if any. Knows what their content depends on, and nothing of how they are kept.

import { encodeCbor } from '../../store/base/cbor.ts';
import { digestOf } from '../../store/base/digest.ts';
import type { HeldLock, Kept, Node, Store } from '../../store/index.ts';
import { mapByName } from '../../store/base/map-by-name.ts';
import type { RecordValue } from '../model/encode.ts';
import type { ResolvedStep } from '../plan/resolve.ts';

/** The folders of a step's lineage with its sources; undefined for a step that has none. @throws MissingBlob */
export async function takeKept(
  { step, record, nodes }: ResolvedStep,
  store: Pick<Store, 'kept'>,
): Promise<Kept | HeldLock | undefined> {
  const { derivation, lineage } = step;
  if (derivation.kind !== 'run' || derivation.incremental === undefined) return undefined;
  const { sources } = derivation.incremental;
  const nodeAt = (place: string): [string, Node] => [place, nodes.get(derivation.inputs[place]!)!];
  return store.kept.take({
    lineage,
    key: digestOf(encodeCbor(withoutSources(record, sources))),
    sources: mapByName(sources.map(nodeAt)),
  });
}

// All of the action but what the sources hold: layers, other inputs, environment, command, folders, revision.
function withoutSources(record: RecordValue, sources: readonly string[]): RecordValue {
  const inputs = Object.entries(record['inputs'] as RecordValue).filter(([path]) => !sources.includes(path));
  return { ...record, inputs: mapByName(inputs) };
}
