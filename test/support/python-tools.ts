// The seed's python3, without the rest of the seed: enough to run a check program as a step does.

import { seedFixture, type SeedFixture } from './seed-tools.ts';

export type PythonFixture = SeedFixture;

const pythonPackages = ['python3.13-minimal', 'libpython3.13-minimal', 'libexpat1', 'zlib1g', 'libc6'];

/** A sandbox's fixture with what runs a Python program in it, further packages of the seed, and links: path to target. */
export function pythonFixture(
  further: readonly string[] = [],
  links: Readonly<Record<string, string>> = {},
): Promise<PythonFixture> {
  return seedFixture({
    packages: [...pythonPackages, ...further],
    links: { 'usr/bin/python3': 'python3.13', ...links },
  });
}
