// What the scripts of a kernel's steps call, in a sandbox: a shell, make, binutils and depmod of the seed, and no compiler.

import { execute, literalOf, scriptRequest, treeOf, type Literal } from './sandbox-run.ts';
import { seedFixture, type SeedFixture } from './seed-tools.ts';

const packages = `
  base-files bash coreutils dash diffutils findutils gawk grep sed make kmod libkmod2 binutils binutils-common
  binutils-x86-64-linux-gnu libbinutils libctf-nobfd0 libctf0 libjansson4 libsframe1 libstdc++6 libgcc-s1 libacl1 libattr1
  libc-bin libc6 libgmp10 liblzma5 libmpfr6 libpcre2-8-0 libreadline8t64 libselinux1 libsigsegv2 libssl3t64 libtinfo6 libxxhash0
  zlib1g libzstd1 libcap2
`
  .trim()
  .split(/\s+/);

export function kernelTools(): Promise<SeedFixture> {
  return seedFixture({ packages, links: { 'usr/bin/awk': 'gawk' } });
}

export interface KernelScript {
  readonly script: string;
  /** Trees by the path that the step has them at. */
  readonly inputs?: Readonly<Record<string, Literal>>;
  readonly outputs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface ScriptEnd {
  readonly isDone: boolean;
  /** All that it wrote. */
  readonly log: string;
  /** What it made, by output. */
  readonly made: Readonly<Record<string, Literal>>;
}

/** Runs a script as a kernel's step does. */
export async function runKernelScript(
  fixture: SeedFixture,
  { script, inputs = {}, outputs = ['out'], env = {} }: KernelScript,
): Promise<ScriptEnd> {
  const { store, executor, tools } = fixture;
  const given = Object.entries(inputs).map(async ([path, tree]) => ({
    path,
    node: await treeOf(store, tree),
  }));
  const { result, text } = await execute(executor, {
    ...scriptRequest(fixture, ''),
    layers: [tools.digest],
    argv: ['/bin/bash', '-euo', 'pipefail', '-c', script],
    inputs: await Promise.all(given),
    env: { CROSS_COMPILE: 'x86_64-linux-gnu-', ...env },
    outputs,
    mayBeEmpty: [],
  });
  if (result.kind !== 'succeeded') return { isDone: false, log: text, made: {} };
  const made = Object.entries(result.outputs).map(async ([name, node]): Promise<[string, Literal]> => [
    name,
    await literalOf(store, node),
  ]);
  return { isDone: true, log: text, made: Object.fromEntries(await Promise.all(made)) };
}
