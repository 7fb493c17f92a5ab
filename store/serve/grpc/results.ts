// The results of actions that a Remote Execution API server is asked for: those of cairn are made from the records that the shelf
// has, whoever brought them by whatever way; those of others are kept as they came, if their outputs
// are files, as long as all that they name is here.

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { digestHash, digestSize, type Digest } from '../../base/digest.ts';
import { decodeSignedRecord, subjectOf } from '../../caches/signed-record.ts';
import { keyOf, actionOf, recordsIn, resultWith } from '../../reapi/action-results.ts';
import { digestIn } from '../../reapi/digests.ts';
import {
  ActionResultSchema,
  type ActionResult,
} from '../../reapi/messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';
import { Refusal } from '../refusal.ts';
import type { ServedStore } from '../served-store.ts';
import type { Cas } from './cas.ts';
import type { RecordBook } from './record-book.ts';

export class Results {
  readonly #served: ServedStore;
  readonly #cas: Cas;
  readonly #book: RecordBook;

  constructor(served: ServedStore, cas: Cas, book: RecordBook) {
    this.#served = served;
    this.#cas = cas;
    this.#book = book;
  }

  /** The Action that a key of cairn's is of: it need not have been sent. */
  action(key: Digest): Uint8Array | undefined {
    const subject = this.#book.subject(key);
    return subject && actionOf(subject);
  }

  async get(key: Digest): Promise<ActionResult | undefined> {
    await this.#book.refresh();
    const subject = this.#book.subject(key);
    if (subject === undefined) return this.#foreign(key);
    const { result } = resultWith(subject, await this.#book.records(key), []);
    // The records travel in it; as files they would have to be blobs.
    return create(ActionResultSchema, { ...result, outputFiles: [] });
  }

  /** @throws Refusal */
  async put(key: Digest, result: ActionResult): Promise<void> {
    const records = recordsIn(result);
    const subjects = records
      .map((bytes) => decodeSignedRecord(bytes))
      .map((one) => one && subjectOf(one.statement));
    const isOurs =
      subjects.length > 0 && subjects.every((subject) => subject !== undefined && keyOf(subject) === key);
    if (isOurs) return this.#served.takeRecords(records);
    await this.#putForeign(key, result);
  }

  async #foreign(key: Digest): Promise<ActionResult | undefined> {
    const bytes = await this.#served.files.result(digestHash(key));
    if (bytes === undefined) return undefined;
    const result = fromBinary(ActionResultSchema, bytes);
    if (namedBy(result)?.every((digest) => this.#cas.has(digest)) !== true) return undefined;
    await this.#served.holds.touch(digestHash(key));
    return result;
  }

  async #putForeign(key: Digest, result: ActionResult): Promise<void> {
    const named = namedBy(result);
    if (named === undefined) throw new Refusal(501, 'only results whose outputs are files are kept here');
    const lost = named.find((digest) => !this.#cas.has(digest));
    if (lost !== undefined) throw new Refusal(422, `the result names ${lost}, which is not here`);
    // What is empty is everywhere.
    const kept = named.filter((digest) => digestSize(digest) > 0);
    await this.#served.holds.holdBlobs(key, kept);
    await this.#served.files.writeResult(digestHash(key), toBinary(ActionResultSchema, result));
  }
}

// All that has to be here for the result to be of use; undefined for one that names more than can be read here: what is not seen cannot
// be held. @throws Refusal
function namedBy(result: ActionResult): readonly Digest[] | undefined {
  const { outputFiles, outputDirectories, stdoutDigest, stderrDigest, $unknown = [] } = result;
  if ($unknown.length > 0 || outputDirectories.length > 0) return undefined;
  const streams = [stdoutDigest, stderrDigest].filter((digest) => digest !== undefined);
  return [...outputFiles.map(({ digest }) => digest), ...streams].map(foreignDigest);
}

function foreignDigest(message: Parameters<typeof digestIn>[0]): Digest {
  try {
    return digestIn(message);
  } catch {
    throw new Refusal(422, 'it names what is no digest');
  }
}
