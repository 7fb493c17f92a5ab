// rpi with one more small file on each partition, so that everything that composes it has something to do; and the same
// by hand.

import {
  createImage,
  createPackages,
  imageTools,
  imageSpecs,
  inputs,
  outputsOfImage,
  sandboxTool,
  type Image,
  type ImageSpec,
} from '../../../derivations/index.ts';
import { compose, defineFlake, run, write, type InputLike, type Run } from '../../../engine/model/index.ts';

export default defineFlake({
  description: 'what it takes to compose an image',
  inputs,
  targets: ['aarch64-linux'],
  environment: ['CAIRN_BENCH_STAMP'],
  sandbox: ({ pins }) => sandboxTool(pins),
  outputs: ({ pins, target, env }) => {
    const { rpi } = imageSpecs({ pins, target, packages: createPackages({ pins, target }) });
    const tools = imageTools(pins);
    const spec = stamped(rpi!, env['CAIRN_BENCH_STAMP'] ?? '');
    const image = createImage(spec, tools);
    return { ...outputsOfImage('rpi', image), 'rpi-by-hand': byHand(spec, image, tools) };
  },
});

function stamped(spec: ImageSpec, stamp: string): ImageSpec {
  const more = write({ name: 'stamp', files: { stamp } });
  const partitions = spec.disk.partitions.map((partition) => ({
    ...partition,
    content: compose({ name: `stamped-${partition.role}`, parts: [partition.content, more] }),
  }));
  return { ...spec, disk: { ...spec.disk, partitions } };
}

// The partitions out of their folders with nothing but the tools, and one copy of the finished image.
const script = String.raw`
start=$(date +%s%N)
truncate -s "$(stat -c %s /partitions/root.part)" root.part
mke2fs -q -t ext4 -d /content/root root.part
truncate -s "$(stat -c %s /partitions/boot.part)" boot.part
mkfs.fat -F 32 boot.part >mkfs.log
mcopy -s -i boot.part /content/boot/* ::
cp /image/rpi.img rpi.img
echo $((($(date +%s%N) - start) / 1000000)) >"$out/milliseconds"
`;

function byHand({ disk }: ImageSpec, { derivation, partitions }: Image, tools: readonly InputLike[]): Run {
  const content = disk.partitions.map(
    (partition) => [`/content/${partition.role}`, partition.content] as const,
  );
  return run({
    name: 'rpi-by-hand',
    layers: tools,
    inputs: { '/image': derivation, '/partitions': partitions, ...Object.fromEntries(content) },
    env: { MTOOLSRC: '/dev/null' },
    argv: ['/bin/sh', '-euc', script],
  });
}
