// In which order steps are started: a chain of four beside ten single steps, beside the best order there is.

import { join } from 'node:path';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { packageRoot } from '../../store/base/package-root.ts';
import { atMost, seconds, type Figure } from './figure.ts';
import { inFolder } from './machine.ts';
import { cairn, measure } from './process.ts';

const links = 4;
const singles = 10;
/** What each step sleeps: long beside what starting a sandbox takes, short beside a person's patience. */
const stepMs = 1000;

/** The chain with everything else, for each number of slots. */
export async function orderOfStarts(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const slots of [1, 2]) figures.push(await orderWith(slots));
  return figures;
}

async function orderWith(slots: number): Promise<Figure> {
  return inFolder(async (folder) => {
    const env = { CAIRN_STORE: join(folder, 'store') };
    writeProject(folder);
    // The shell and the sandbox's program are there before the clock starts.
    await measure([...cairn, 'build', 'first'], { cwd: folder, env });
    const one = await measure([...cairn, 'build', 'single'], { cwd: folder, env });
    const all = await measure([...cairn, 'build', 'all', '-j', String(slots)], { cwd: folder, env });
    // The top step comes after all others. A process that builds one step shows what every process takes beside sleeping.
    const rounds = Math.max(links, Math.ceil((links + singles) / slots)) + 1;
    const best = rounds * stepMs + (one.wallMs - stepMs);
    return {
      what: `a chain of ${links} and ${singles} single steps of ${seconds(stepMs)}, -j ${slots}`,
      measured: seconds(all.wallMs),
      yardstick: `the best order of ${rounds} rounds ${seconds(best)}`,
      ...atMost(all.wallMs / best, 1.1),
      command: `cairn build all -j ${slots}`,
    };
  });
}

function writeProject(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const lock = JSON.parse(readFileSync(join(packageRoot, 'flake-like.lock'), 'utf8')) as {
    inputs: Record<string, unknown>;
  };
  writeFileSync(
    join(folder, 'flake-like.lock'),
    JSON.stringify({ version: 1, inputs: { sandbox: lock.inputs['sandbox'] } }, undefined, 2),
  );
  writeFileSync(join(folder, 'flake-like.config.ts'), config);
}

const config = `import { compose, defineFlake, fetchUrl, from, run, unpack, type Derivation } from 'cairn-build';
import { inputs, sandboxTool } from 'cairn-build/derivations';

const archive = fetchUrl({
  name: 'busybox.deb',
  urls: ['mirror://debian/pool/main/b/busybox/busybox-static_1.37.0-6+b9_amd64.deb'],
  sha256: '598a3fd92bdafc34cd81196b2952ad36e910e47a4ecf162f8ce5e8e262598e53',
});
const busybox = from(unpack({ name: 'busybox', archive, strip: 0 }), { subpath: 'usr/bin/busybox' });
const shell = compose({ name: 'shell', parts: [{ input: busybox, at: 'bin/sh' }] });

function step(name: string, needs: readonly Derivation[] = []): Derivation {
  const inputs = Object.fromEntries(needs.map((need, at) => [\`/in/\${at}\`, need]));
  return run({ name, layers: [shell], inputs, argv: ['/bin/sh', '-c', \`sleep ${stepMs / 1000}; echo \${name} > $out/\${name}\`] });
}

// The chain comes last, and by name too, so that no order but the right one brings it forward.
const singles = Array.from({ length: ${singles} }, (_, at) => step(\`a-single-\${at}\`));
let chain: readonly Derivation[] = [];
for (let at = 0; at < ${links}; at++) chain = [step(\`link-\${at}\`, chain)];

export default defineFlake({
  description: 'a chain of ${links} beside ${singles} single steps',
  inputs: { sandbox: inputs.sandbox },
  sandbox: ({ pins }) => sandboxTool(pins),
  targets: ['x86_64-linux'],
  outputs: () => ({ all: step('all', [...singles, ...chain]), single: step('single'), first: step('first') }),
});
`;
