// Where the steps of an evaluation were made, as the store keeps it: apart from the evaluation, because it is only wanted
// when a step is done. The start of an id is enough: at worst, a message names another line.

import type { RecordReader, RecordWriter } from '../../store/index.ts';
import type { Target } from '../model/derivation.ts';
import type { DerivationId } from '../model/encode.ts';
import { evaluatedKey, type Evaluated } from './evaluated-key.ts';

/** The place of a step in the config's files, `file:line:column`; undefined where none is known. */
export type PlaceOf = (id: DerivationId) => string | undefined;

/** By place: the starts of all ids that were made there, one after the other. */
type PlacesRecord = Readonly<Record<string, string>>;

const format = 'places 1';
const idChars = 16;

export function writePlaces(
  records: RecordWriter,
  { evaluated, target }: { readonly evaluated: Evaluated; readonly target: Target },
  places: ReadonlyMap<DerivationId, string>,
): void {
  const ids = new Map<string, string[]>();
  for (const [id, place] of places) {
    const there = ids.get(place);
    if (there === undefined) ids.set(place, [id.slice(0, idChars)]);
    else there.push(id.slice(0, idChars));
  }
  const record: PlacesRecord = Object.fromEntries([...ids].map(([place, there]) => [place, there.join('')]));
  records.putCached(keyOf(evaluated, target), record);
}

/** Keeps the places that are kept for steps that have other ids by now. */
export function renamePlaces(
  { reader, writer }: { readonly reader: RecordReader; readonly writer: RecordWriter },
  { evaluated, target }: { readonly evaluated: Evaluated; readonly target: Target },
  renamed: ReadonlyMap<DerivationId, DerivationId>,
): void {
  const starts = new Map([...renamed].map(([id, now]) => [id.slice(0, idChars), now.slice(0, idChars)]));
  const record = (reader.cached(keyOf(evaluated, target)) ?? {}) as PlacesRecord;
  const places = Object.entries(record).map(([place, ids]) => [
    place,
    startsIn(ids)
      .map((start) => starts.get(start) ?? start)
      .join(''),
  ]);
  writer.putCached(keyOf(evaluated, target), Object.fromEntries(places) as PlacesRecord);
}

/** What is kept for some targets. Read when it is asked for the first time. */
export function recordedPlaces(
  records: RecordReader,
  { evaluated, targets }: { readonly evaluated: Evaluated; readonly targets: readonly Target[] },
): PlaceOf {
  let places: ReadonlyMap<string, string> | undefined;
  const read = (): ReadonlyMap<string, string> =>
    new Map(
      targets.flatMap((target) => {
        const record = (records.cached(keyOf(evaluated, target)) ?? {}) as PlacesRecord;
        return Object.entries(record).flatMap(([place, ids]) =>
          startsIn(ids).map((id) => [id, place] as const),
        );
      }),
    );
  return (id) => (places ??= read()).get(id.slice(0, idChars));
}

function startsIn(ids: string): string[] {
  return Array.from({ length: ids.length / idChars }, (_, at) => ids.slice(at * idChars, (at + 1) * idChars));
}

function keyOf(evaluated: Evaluated, target: Target): string {
  return `${format} ${evaluatedKey(evaluated)} ${target}`;
}
