// What anybody says about a subject, an action or a derivation of ours, in a server's table of results. Its key there is that of an
// Action with nothing but a salt, which is kept beside it: so one question tells about any number of subjects whether there is
// something to read.

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { anyIs, anyPack, BytesValueSchema, type Any } from '@bufbuild/protobuf/wkt';
import { digestOf, type Digest } from '../base/digest.ts';
import { digestIn, digestMessage } from './digests.ts';
import {
  ActionResultSchema,
  ActionSchema,
  type ActionResult,
} from './messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';

/** More are not kept about one subject. */
const mostRecords = 100;
const recordFolder = 'records/';

/** The bytes whose digest is the subject's key. */
export function actionOf(subject: Digest): Uint8Array {
  return toBinary(ActionSchema, create(ActionSchema, { salt: Buffer.from(`cairn ${subject}`) }));
}

export function keyOf(subject: Digest): Digest {
  return digestOf(actionOf(subject));
}

/**
 * A result that says these, the first first, and what was said before; and the files that it names. The records travel in it, and
 * are files of it as well, so that a server that knows of no metadata keeps them too.
 */
export function resultWith(
  subject: Digest,
  records: readonly Uint8Array[],
  before: readonly Uint8Array[],
): { readonly result: ActionResult; readonly files: ReadonlyMap<Digest, Uint8Array> } {
  const all = [...new Map([...records, ...before].map((bytes) => [digestOf(bytes), bytes]))];
  const kept = all.slice(0, mostRecords);
  const action = actionOf(subject);
  const result = create(ActionResultSchema, {
    outputFiles: [
      { path: 'action', digest: digestMessage(digestOf(action)) },
      ...kept.map(([digest], at) => ({ path: `${recordFolder}${at}`, digest: digestMessage(digest) })),
    ],
    executionMetadata: {
      worker: 'cairn',
      auxiliaryMetadata: kept.map(([, value]) =>
        anyPack(BytesValueSchema, create(BytesValueSchema, { value })),
      ),
    },
  });
  return { result, files: new Map([[digestOf(action), action], ...kept]) };
}

/** What travels in a result, as somebody wrote it. */
export function recordsIn({ executionMetadata }: ActionResult): Uint8Array[] {
  return (executionMetadata?.auxiliaryMetadata ?? [])
    .slice(0, mostRecords)
    .map(bytesIn)
    .filter((bytes) => bytes !== undefined);
}

/** The records that a result names as files. @throws ReapiFailure when it names what is no digest */
export function recordFilesIn({ outputFiles }: ActionResult): Digest[] {
  const files = outputFiles.filter(({ path }) => path.startsWith(recordFolder));
  return files.slice(0, mostRecords).map(({ digest }) => digestIn(digest));
}

function bytesIn(any: Any): Uint8Array | undefined {
  if (!anyIs(any, BytesValueSchema)) return undefined;
  try {
    // A copy: the message that it is part of is larger.
    return Uint8Array.from(fromBinary(BytesValueSchema, any.value).value);
  } catch {
    return undefined; // anybody may have written it
  }
}
