// A clean build of a kernel's code with a warm compile cache, beside one without any. What is compared is what both give, too.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { packageRoot } from '../../store/base/package-root.ts';
import { atMost, seconds, type Figure } from './figure.ts';
import { cairn, measure } from './process.ts';

const config = join(packageRoot, 'test/bench/images/compile-cache.config.ts');

interface Compiled {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly digest: string;
  readonly hits: number;
  readonly misses: number;
}

/** Uses the usual store, where what a kernel takes may be already. */
export async function compileCaches(): Promise<Figure[]> {
  // Beside the kernel itself, all that it needs: so that what follows is the compilation alone.
  const filled = await compile('cached');
  const plain = await compile('plain');
  const warm = await compile('cached');
  if (filled.digest !== plain.digest || warm.digest !== plain.digest)
    throw new Error('the compile cache gave another kernel');
  const { hits, misses } = warm;
  const command = `CAIRN_BENCH_STAMP=$RANDOM cairn build cached --config ${config}`;
  return [
    {
      what: `clean build of a small kernel's code, warm compile cache (${hits} hits, ${misses} misses)`,
      measured: seconds(warm.wallMs),
      yardstick: `without one ${seconds(plain.wallMs)}`,
      ...atMost(warm.wallMs / plain.wallMs, 0.35),
      command,
    },
    {
      what: 'the same in processor time',
      measured: seconds(warm.cpuMs),
      yardstick: `without one ${seconds(plain.cpuMs)}, with an empty one ${seconds(filled.cpuMs)}`,
      ...atMost(warm.cpuMs / plain.cpuMs, 0.35),
      command,
    },
  ];
}

async function compile(target: 'cached' | 'plain'): Promise<Compiled> {
  const env = { CAIRN_BENCH_STAMP: randomBytes(8).toString('hex') };
  const { stdout } = await measure([...cairn, 'build', target, '--config', config, '--json'], { env });
  const records = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const step = records.find(
    ({ type, kind, name }) => type === 'step-finished' && kind === 'run' && name === target,
  )!;
  const { hits = 0, misses = 0 } = (step['compileCache'] ?? {}) as Partial<Compiled>;
  return {
    wallMs: step['durationMs'] as number,
    cpuMs: records.at(-1)!['buildersCpuMs'] as number,
    digest: JSON.stringify(step['outputs']),
    ...{ hits, misses },
  };
}
