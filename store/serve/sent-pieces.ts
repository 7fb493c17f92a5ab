// What is sent in pieces (`caches/pieces.ts`): each is unpacked when all of it is here and there is room for it.

import { letGo } from '../base/let-go.ts';
import { ByteReader, nextFrame, pieceBytes } from '../caches/pieces.ts';
import { decompressGiven } from '../caches/zstd.ts';
import type { Intake } from './intake.ts';
import { refusing } from './refusal.ts';

/** The content, each part of which is gone when the next is asked for. @throws Refusal for what is not in pieces, or cut short; what `encoded` and the intake throw */
export function sentPieces(
  encoded: AsyncIterable<Uint8Array>,
  intake: Intake,
): AsyncGenerator<Uint8Array, void, undefined> {
  return refusing(piecesIn(encoded, intake));
}

async function* piecesIn(
  encoded: AsyncIterable<Uint8Array>,
  intake: Intake,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new ByteReader(encoded);
  for (;;) {
    const length = await nextFrame(reader);
    if (length === undefined) return;
    await using frame = await intake.gather(reader.pass(length), length);
    using held = await frame.open(length + pieceBytes);
    const content = await decompressGiven(held.bytes, pieceBytes);
    yield content;
    letGo(content);
  }
}
