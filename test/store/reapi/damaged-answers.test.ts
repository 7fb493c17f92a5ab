// What servers send may be anything: it is refused, or read as what it is, and never another error.

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { digestOf } from '../../../store/base/digest.ts';
import { abilitiesOf } from '../../../store/reapi/abilities.ts';
import { recordFilesIn, recordsIn, resultWith } from '../../../store/reapi/action-results.ts';
import { ReapiFailure } from '../../../store/reapi/failure.ts';
import {
  ActionResultSchema,
  DigestFunction_Value,
  ServerCapabilitiesSchema,
} from '../../../store/reapi/messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';
import { damagedVersions } from '../../support/damage.ts';
import { bytesOf } from '../../support/reapi-blobs.ts';

const records = [bytesOf(1, 100), bytesOf(2, 300)];
const result = toBinary(ActionResultSchema, resultWith(digestOf(records[0]!), records, []).result);
const capabilities = toBinary(
  ServerCapabilitiesSchema,
  create(ServerCapabilitiesSchema, {
    cacheCapabilities: {
      digestFunctions: [DigestFunction_Value.SHA256],
      maxBatchTotalSizeBytes: 4_000_000n,
      fastCdc2020Params: { avgChunkSizeBytes: 524_288n, seed: 7 },
    },
  }),
);

test('sound ones are read', () => {
  const read = fromBinary(ActionResultSchema, result);
  expect(recordsIn(read).map((bytes) => Buffer.from(bytes))).toEqual(records);
  expect(recordFilesIn(read)).toEqual(records.map(digestOf));
  expect(abilitiesOf(fromBinary(ServerCapabilitiesSchema, capabilities)).chunking?.seed).toBe(7);
});

test.each([
  ['results of actions', result, readResult],
  ['capabilities', capabilities, readCapabilities],
] as const)('damaged %s are refused, or read as what they are', (_, sound, read) => {
  for (const damaged of damagedVersions(Buffer.from(sound), 1, 400))
    expect(() => read(damaged)).not.toThrow();
});

function readResult(bytes: Uint8Array): void {
  const message = parsed(() => fromBinary(ActionResultSchema, bytes));
  if (message === undefined) return;
  recordsIn(message);
  refusing(() => recordFilesIn(message));
}

function readCapabilities(bytes: Uint8Array): void {
  const message = parsed(() => fromBinary(ServerCapabilitiesSchema, bytes));
  if (message === undefined) return;
  refusing(() => {
    const { batchBytes, chunking } = abilitiesOf(message);
    expect(batchBytes).toBeGreaterThan(0);
    expect(batchBytes).toBeLessThanOrEqual(4 << 20);
    if (chunking !== undefined) expect(chunking.sizes.minBytes).toBeGreaterThanOrEqual(256);
  });
}

// gRPC makes a failed call of what its decoder throws.
function parsed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function refusing(read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof ReapiFailure)) throw error;
  }
}
