// Bytes with damage that looks random and is the same in every run: what a disk, a network or an ill-meaning sender makes of
// them. Knows no format.

import { randomFrom, type Random } from './random.ts';

/** How often everything is damaged; more by hand. */
const usualRounds = Number(process.env['CAIRN_FUZZ_ROUNDS'] ?? 40);

/** Damaged versions of `bytes`. */
export function* damagedVersions(bytes: Buffer, seed: number, rounds = usualRounds): Generator<Buffer> {
  const random = randomFrom(seed);
  for (let round = 0; round < rounds; round++) yield damage(bytes, random);
}

function damage(bytes: Buffer, random: Random): Buffer {
  const at = random(bytes.length);
  const length = 1 + random(16);
  switch (random(8)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(length, random(256)), bytes.subarray(at)]);
    case 3:
      return withPartTwice(bytes, random);
    case 4:
      return withHugeNumber(bytes, at, random);
    default:
      return withChangedBytes(bytes, random);
  }
}

function withPartTwice(bytes: Buffer, random: Random): Buffer {
  const [one, other] = [random(bytes.length), random(bytes.length)];
  const [from, to] = [Math.min(one, other), Math.max(one, other) + 1];
  return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
}

// What is a length there claims more than there is.
function withHugeNumber(bytes: Buffer, at: number, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  const width = [1, 2, 4, 8][random(4)]!;
  copy.fill(0xff, at, Math.min(at + width, copy.length));
  if (random(2) === 0) copy[at] = random(256);
  return copy;
}

function withChangedBytes(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  // Headers are where most ways to go wrong are.
  const within = random(2) === 0 ? Math.min(copy.length, 700) : copy.length;
  for (let count = 1 + random(4); count > 0; count--) {
    const at = random(within);
    copy[at] = random(2) === 0 ? copy[at]! ^ (1 << random(8)) : random(256);
  }
  return copy;
}
