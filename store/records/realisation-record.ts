// A realisation as its table has it: the claim in its own byte form, and the facts beside it. Pure.

import { encodeCbor, readCbor } from '../base/cbor.ts';
import type { Digest } from '../base/digest.ts';
import type { DoneElsewhere, Facts, Realisation } from '../store.ts';
import { decodeClaim, encodeClaim } from './claim.ts';
import { recordError } from './database-errors.ts';

/** The record of a realisation. Figures are rounded to whole ones. */
export function encodeRealisation({ claim, facts }: Realisation): Uint8Array {
  return encodeCbor({
    claim: encodeClaim(claim),
    facts: {
      ...facts,
      durationMs: Math.round(facts.durationMs),
      builtAtMs: Math.round(facts.builtAtMs),
      cpuMs: rounded(facts.cpuMs),
      incremental: facts.incremental === true ? true : undefined,
      elsewhere: facts.elsewhere && roundedTimes(facts.elsewhere),
    },
  });
}

/** What {@link encodeRealisation} wrote for an action. @throws UserError `STORE_CORRUPT` for anything else */
export function decodeRealisation(action: Digest, bytes: Uint8Array): Realisation {
  const { claim: claimBytes, facts } = readCbor(bytes) as unknown as StoredRealisation;
  const claim = decodeClaim(claimBytes);
  if (claim?.action !== action) return recordError('realisations', action);
  // An undefined member is not encoded, and so it is missing when read.
  const { cpuMs, peakMemoryBytes, sizeBytes, log } = facts;
  return { claim, facts: { ...facts, cpuMs, peakMemoryBytes, sizeBytes, log } };
}

interface StoredRealisation {
  readonly claim: Uint8Array;
  readonly facts: Facts;
}

function roundedTimes(done: DoneElsewhere): Readonly<Record<string, string | number | undefined>> {
  return {
    ...done,
    queuedMs: rounded(done.queuedMs),
    fetchedMs: rounded(done.fetchedMs),
    executedMs: rounded(done.executedMs),
    uploadedMs: rounded(done.uploadedMs),
  };
}

function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value);
}
