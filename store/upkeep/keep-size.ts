// Keeps a store to a size: how large it is gets estimated from what came in since it was last measured, so that most builds
// pay one look at a record. When it has grown too large, garbage goes, last used last.

import { encodeCbor, readCbor } from '../base/cbor.ts';
import { collectionLock } from '../processes/uses.ts';
import type { GcStats } from '../store.ts';
import { collect } from './gc.ts';
import type { MaintenanceContext } from './maintenance-context.ts';
import { Room } from './room.ts';

export interface KeepSizeOptions {
  readonly maxBytes: number;
  /** What has come in since this store was opened. */
  readonly addedBytes: number;
  readonly signal?: AbortSignal;
}

/** What is known of the size. */
interface Size {
  readonly sizeBytes: number;
  /** How small the last collection could make it; roots and what was in use took that much. */
  readonly reachedBytes: number;
}

const key = 'size';
/** Collections make room for a tenth, so that not every build needs one. */
const spareShare = 0.1;
/** What comes in is kept once as blobs, and once more as what steps are run on. */
const copies = 2;

/** Gives what was deleted, or undefined when nothing had to be, or somebody else is at it. */
export async function keepToSize(
  context: MaintenanceContext,
  { maxBytes, addedBytes, signal }: KeepSizeOptions,
): Promise<GcStats | undefined> {
  const before = read(context);
  const reachedBytes = before?.reachedBytes ?? 0;
  // What could not be made smaller is not tried again after every build.
  const limitBytes = Math.max(maxBytes, reachedBytes + maxBytes * spareShare);
  const estimate = before === undefined ? Infinity : before.sizeBytes + copies * addedBytes;
  const sizeBytes = estimate <= limitBytes ? estimate : (await Room.measure(context)).all();
  if (sizeBytes <= limitBytes) {
    if (sizeBytes !== before?.sizeBytes) await write(context, { sizeBytes, reachedBytes });
    return undefined;
  }
  if (await context.isLocked(collectionLock)) return undefined;
  const stats = await collect(
    context,
    { maxBytes: maxBytes * (1 - spareShare) },
    { ...(signal && { signal }) },
  );
  const kept = stats.keptBytes!;
  await write(context, { sizeBytes: kept, reachedBytes: kept });
  return stats;
}

function read({ database }: MaintenanceContext): Size | undefined {
  const bytes = database.table('state').get(key);
  return bytes === undefined ? undefined : (readCbor(bytes) as unknown as Size);
}

function write({ database }: MaintenanceContext, size: Size): Promise<void> {
  const bytes = Buffer.from(encodeCbor({ ...size }));
  return database.transaction(() => void database.table('state').put(key, bytes));
}
