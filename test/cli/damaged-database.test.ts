// The store's database with random damage to its pages. Whatever happened to them, a command says so in words that tell what
// to do, or does what it should; no process ends by a signal; and what is built afterwards is what it always was. The damage
// is the same in every run.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { randomFrom, type Random } from '../support/random.ts';
import { testProject, type Ended } from './cairn.ts';

const rounds = Number(process.env['CAIRN_FUZZ_ROUNDS'] ?? 4);
const pageBytes = 4096;

/** Enough steps for trees of pages that have branches. */
const manySteps = `
const steps = Array.from({ length: 60 }, (_, at) => write({ name: \`step\${at}\`, files: { [\`dir\${at}/file\`]: \`content \${at}\` } }));
const large = write({ name: 'large', files: Object.fromEntries(Array.from({ length: 300 }, (_, at) => [\`many/\${at}\`, \`\${at}\`])) });
export default flake({ all: compose({ name: 'all', parts: [...steps, large] }) });
`;

test('build, verify and repair name damage to the database, and a repaired store gives what it always gave', async () => {
  const project = testProject(manySteps);
  expect(await project.run('build', 'all')).toMatchObject({ status: 0 });
  const whole = (await project.run('path', 'all')).stdout;
  const file = join(project.env['CAIRN_STORE']!, 'db/data.mdb');
  const pristine = readFileSync(file);
  const random = randomFrom(Number(process.env['CAIRN_FUZZ_SEED'] ?? 0));
  for (let round = 0; round < rounds; round++) {
    const [what, bytes] = damage(Buffer.from(pristine), random);
    // Into the same file, as a disk would.
    writeFileSync(file, bytes);
    const about = `round ${round}: ${what}`;
    expectSaid(await project.run('build', 'all'), about);
    expectSaid(await project.run('store', 'verify'), about);
    expect(await project.run('store', 'repair'), about).toMatchObject({ status: 0 });
    expect(await project.run('store', 'verify'), about).toMatchObject({ status: 0 });
    expect(await project.run('build', 'all'), about).toMatchObject({ status: 0 });
    expect((await project.run('path', 'all')).stdout, about).toBe(whole);
  }
});

function expectSaid({ status, stdout, stderr }: Ended, about: string): void {
  expect([0, 20], `${about}: ${stdout}${stderr}`).toContain(status);
  if (status === 20) expect(stdout + stderr, about).toContain('cairn store repair');
}

type Damage = (bytes: Buffer, random: Random) => Buffer;

const damages: Readonly<Record<string, Damage>> = {
  'a page of zeros': onPage((page) => page.fill(0)),
  'a page of noise': onPage((page, random) => noise(page, random)),
  'noise behind the head of a page': onPage((page, random) => noise(page.subarray(24), random)),
  'some bytes of a page': onPage((page, random) => {
    for (let count = 1 + random(4); count > 0; count--) page[random(page.length)] = random(256);
  }),
  'some bytes of the head of a page': onPage((page, random) => {
    for (let count = 1 + random(4); count > 0; count--) page[random(64)] = random(256);
  }),
  'a page in the place of another': (bytes, random) => {
    const [from, to] = [random(bytes.length / pageBytes), random(bytes.length / pageBytes)];
    bytes.copy(bytes, to * pageBytes, from * pageBytes, (from + 1) * pageBytes);
    return bytes;
  },
  'many pages of zeros': (bytes, random) => {
    const from = random(bytes.length / pageBytes);
    return bytes.fill(0, from * pageBytes, (from + 1 + random(30)) * pageBytes);
  },
  'a file cut short': (bytes, random) => bytes.subarray(0, random(bytes.length)),
  'a file of zeros': (bytes) => bytes.fill(0),
  'a file of noise': (bytes, random) => noise(bytes, random),
};

function damage(bytes: Buffer, random: Random): [string, Buffer] {
  const names = Object.keys(damages);
  // One page of many is what is met most.
  const what = names[random(2) === 0 ? random(5) : random(names.length)]!;
  return [what, damages[what]!(bytes, random)];
}

function onPage(change: (page: Buffer, random: Random) => unknown): Damage {
  return (bytes, random) => {
    const at = random(bytes.length / pageBytes) * pageBytes;
    change(bytes.subarray(at, at + pageBytes), random);
    return bytes;
  };
}

function noise(bytes: Buffer, random: Random): Buffer {
  for (let at = 0; at < bytes.length; at++) bytes[at] = random(256);
  return bytes;
}
