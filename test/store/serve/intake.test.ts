// What comes in and is put aside until all of it is here, and what is worked on of it at once.

import { readdirSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { digestOf } from '../../../store/base/digest.ts';
import { Intake, type Gathered } from '../../../store/serve/intake.ts';
import { bytesOf } from '../../support/reapi-blobs.ts';
import { tempFolder } from '../../support/temp-folder.ts';

async function* inChunks(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += chunkBytes)
    yield await Promise.resolve(bytes.subarray(at, at + chunkBytes));
}

async function gathered(intake: Intake, bytes: Uint8Array, chunkBytes: number): Promise<Gathered> {
  const all = await intake.gather(inChunks(bytes, chunkBytes), bytes.byteLength);
  onTestFinished(() => all[Symbol.asyncDispose]());
  return all;
}

test.each([
  [0, 1],
  [1, 1],
  [5000, 1],
  [65_536, 1000],
  [65_537, 1000],
  [200_000, 40_000],
  [3_000_000, 64],
  [3_000_000, 3_000_000],
])(
  'of %i bytes that come %i at a time all are there, in their order, and nothing afterwards',
  async (size, chunk) => {
    const folder = tempFolder('intake');
    const intake = new Intake(folder, 10_000_000);
    const bytes = bytesOf(7, size);
    const all = await gathered(intake, bytes, chunk);
    expect(all.sizeBytes).toBe(size);
    const parts: Uint8Array[] = [];
    for await (const part of all.chunks()) parts.push(part);
    const opened = await all.open();
    expect([digestOf(Buffer.concat(parts)), digestOf(opened.bytes)]).toEqual([
      digestOf(bytes),
      digestOf(bytes),
    ]);
    // Without a name even now: nothing of it is left if this process ends.
    expect(readdirSync(folder)).toEqual([]);
    opened[Symbol.dispose]();
    await all[Symbol.asyncDispose]();
    expect([intake.inMemoryBytes, intake.asideBytes]).toEqual([0, 0]);
  },
);

test('what comes and is too much, or breaks off, is refused and leaves nothing', async () => {
  const intake = new Intake(tempFolder('intake'), 10_000_000);
  const bytes = bytesOf(8, 500_000);
  await expect(intake.gather(inChunks(bytes, 1000), 499_999)).rejects.toMatchObject({ status: 413 });
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield* inChunks(bytes, 100_000);
    throw new Error('gone');
  };
  await expect(intake.gather(broken(), 1_000_000)).rejects.toThrow('gone');
  expect([intake.inMemoryBytes, intake.asideBytes]).toEqual([0, 0]);
});

test('what is worked on at once has its bound, in the order in which it was asked for, and what is larger has it alone', async () => {
  const intake = new Intake(tempFolder('intake'), 1_000_000);
  const granted: number[] = [];
  const asked = [600_000, 300_000, 300_000, 5_000_000, 10].map(async (size, at) => {
    const room = await intake.room(size);
    granted.push(at);
    return room;
  });
  await Promise.all(asked.slice(0, 2));
  expect([granted, intake.inMemoryBytes]).toEqual([[0, 1], 900_000]);
  (await asked[0])![Symbol.dispose]();
  await asked[2];
  expect([granted, intake.inMemoryBytes]).toEqual([[0, 1, 2], 600_000]);
  for (const room of await Promise.all(asked.slice(1, 3))) {
    room[Symbol.dispose]();
    room[Symbol.dispose]();
  }
  await asked[3];
  expect([granted, intake.inMemoryBytes]).toEqual([[0, 1, 2, 3], 1_000_000]);
  (await asked[3])![Symbol.dispose]();
  expect([await asked[4], granted].at(1)).toEqual([0, 1, 2, 3, 4]);
});
