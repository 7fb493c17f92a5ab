// One changed line of a kernel, beside what plain make takes for it: the same sources, configuration, compiler and processors, in
// folders that nobody else knows of. Both have built everything once; then each line is changed here and there, in turn.

import { existsSync } from 'node:fs';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { stepEpochSeconds } from '../../engine/execute/step-view.ts';
import { makeEnvironment, makeFunction } from '../../derivations/kernel/make.ts';
import { builtOutput, imageTestsConfig } from '../support/own-flake.ts';
import { atMost, median, seconds, type Figure } from './figure.ts';
import { inFolder } from './machine.ts';
import { cairn, measure } from './process.ts';

const target = 'aarch64-linux';
/** `CAIRN_BENCH_ROUNDS`: how often each line is changed. */
const rounds = Number(process.env['CAIRN_BENCH_ROUNDS'] ?? 5);

/** `CAIRN_BENCH_KERNEL=shipped` takes the kernel of the images in place of one that is cut down; it has no modules. */
const name = process.env['CAIRN_BENCH_KERNEL'] === 'shipped' ? 'shipped' : 'cut';

/** What a figure may take more than its part of what make takes. */
const graceMs = 2000;
const bootBoundMs = 6000;

interface Line {
  readonly what: string;
  readonly file: string;
  readonly text: (round: number) => string;
  /** What make is asked for. */
  readonly goal: string;
  readonly bound: number;
}

const lines: readonly Line[] = [
  {
    what: 'one line of what is built in → the kernel in the store',
    file: 'kernel/exit.c',
    text: definition,
    goal: 'Image',
    bound: 1.1,
  },
  ...(name === 'cut'
    ? [
        {
          what: 'one line of a module → its .ko in the store',
          file: 'lib/crc7.c',
          text: definition,
          goal: 'lib/crc7.ko',
          bound: 1.3,
        },
      ]
    : []),
];
const deviceTree = 'arch/arm64/boot/dts/broadcom/bcm2711-rpi-400.dts';

export async function editingKernels(): Promise<Figure[]> {
  return inFolder(async (folder) => {
    const ours = join(folder, 'linux');
    const plain = await PlainKernel.open(join(folder, 'plain'));
    await copy(plain.archived, ours);
    const build = (output: string): Promise<number> => built(output, ours);
    await build(name);
    await build(`${name}-boot`);
    const figures: Figure[] = [];
    for (const line of lines) {
      const [mine, theirs]: number[][] = [[], []];
      for (let round = 0; round < rounds; round++) {
        for (const source of [ours, plain.source])
          await appendFile(join(source, line.file), line.text(round));
        theirs!.push(await plain.make(line.goal));
        mine!.push(await build(name));
      }
      figures.push(figureOf(line, { mineMs: median(mine!), theirsMs: median(theirs!) }));
    }
    const boots: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      await appendFile(join(ours, deviceTree), `/ { bench-${round}; };\n`);
      boots.push(await build(`${name}-boot`));
    }
    return [...figures, bootFigure(median(boots.slice(1)))];
  });
}

function figureOf(line: Line, { mineMs, theirsMs }: { mineMs: number; theirsMs: number }): Figure {
  return {
    what: line.what,
    measured: seconds(mineMs),
    yardstick: `make ${line.goal} ${seconds(theirsMs)}; ${seconds(graceMs)} more is allowed`,
    ...atMost(Math.max(mineMs - graceMs, 0) / theirsMs, line.bound),
    command: `cairn build ${name}@${target} --override linux=FOLDER`,
  };
}

function bootFigure(ms: number): Figure {
  return {
    what: 'one line of a device tree → the boot partition in the store',
    measured: seconds(ms),
    yardstick: seconds(bootBoundMs),
    ...atMost(ms / bootBoundMs, 1),
    command: `cairn build ${name}-boot@${target} --override linux=FOLDER`,
  };
}

function definition(round: number): string {
  return `static int __attribute__((used)) cairn_bench_${round} = ${round};\n`;
}

async function built(output: string, source: string): Promise<number> {
  const options = ['--config', imageTestsConfig, '--override', `linux=${source}`];
  const { wallMs } = await measure([...cairn, 'build', `${output}@${target}`, ...options]);
  return wallMs;
}

async function copy(from: string, to: string): Promise<void> {
  await measure(['cp', '--recursive', '--preserve=mode,links,timestamps', from, to]);
  await measure(['chmod', '--recursive', 'u+w', to]);
}

/** Sources and objects as a person has them, and make in the root that steps have, for its programs alone. */
class PlainKernel {
  readonly #folder: string;
  /** The sources that nobody changes. */
  readonly archived: string;
  readonly #seed: string;

  private constructor(folder: string, { archived, seed }: { archived: string; seed: string }) {
    this.#folder = folder;
    this.archived = archived;
    this.#seed = seed;
  }

  /** Built once; `CAIRN_BENCH_OBJECTS` is a folder of objects that a build of the same sources left, to begin with. */
  static async open(folder: string): Promise<PlainKernel> {
    const archived = await builtOutput('source@x86_64-linux', imageTestsConfig);
    const plain = new PlainKernel(folder, { archived, seed: await builtOutput('seed@x86_64-linux') });
    const config = await builtOutput(`${name}-config@${target}`, imageTestsConfig);
    await mkdir(folder);
    await copy(archived, plain.source);
    const given = process.env['CAIRN_BENCH_OBJECTS'];
    if (given !== undefined) await measure(['cp', '--archive', given, join(folder, 'objects')]);
    else {
      await mkdir(join(folder, 'objects'));
      await copy(join(config, 'config'), join(folder, 'objects/.config'));
      await plain.make('olddefconfig');
    }
    await plain.make('Image modules');
    return plain;
  }

  get source(): string {
    return join(this.#folder, 'source');
  }

  /** Milliseconds that it took, the way into the root included. */
  async make(goals: string): Promise<number> {
    const root = join(this.#folder, 'root');
    if (!existsSync(root)) await mkdir(root);
    const script = join(this.#folder, 'make.sh');
    await writeFile(
      script,
      `${makeFunction.split('\ntake_configuration')[0]!}\ncd /build/objects\nkmake -j${availableParallelism()} ${goals}\n`,
    );
    const env = {
      ...makeEnvironment(target),
      PATH: '/usr/bin:/usr/sbin',
      SOURCE_DATE_EPOCH: String(stepEpochSeconds),
      HOME: '/tmp',
    };
    const into = [
      'unshare',
      '--map-root-user',
      '--mount',
      'bash',
      '-euc',
      intoRoot,
      'bash',
      root,
      this.#seed,
      this.#folder,
    ];
    const { wallMs } = await measure(into, { env });
    return wallMs;
  }
}

// All of the seed but its /tmp, which is in the store.
const intoRoot = `
mount -t tmpfs none "$1"
for entry in "$2"/*; do
  at=$1/\${entry##*/}
  if [ -L "$entry" ]; then cp -P "$entry" "$at"; continue; fi
  mkdir "$at"
  case $at in */tmp) ;; *) mount --rbind "$entry" "$at" ;; esac
done
mount --rbind /dev "$1/dev"
mkdir "$1/source" "$1/build" "$1/build/objects"
mount --bind "$3/source" "$1/source"
mount --bind "$3/objects" "$1/build/objects"
cp "$3/make.sh" "$1/build/make.sh"
exec chroot "$1" /bin/bash -euo pipefail /build/make.sh
`;
