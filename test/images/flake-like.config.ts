// What the tests of images need beside the images, built by cairn itself: an ssh client, and a step for each image that
// has its disk checked by other programs than those which made it. And what those of incremental kernels build.

import { inputs, createPackages, emulatorTree, sandboxTool } from '../../derivations/index.ts';
import { seedTree } from '../../derivations/bootstrap/seed.ts';
import { diskTools } from '../../derivations/images/disk-tools.ts';
import { imageOutputs } from '../../derivations/images/images.ts';
import { pinsOf, type PinsByName } from '../../derivations/lib/pins.ts';
import {
  compose,
  composePackages,
  defineFlake,
  derivationOf,
  from,
  run,
  type Derivation,
  type Output,
} from '../../engine/model/index.ts';
import { kernelTestOutputs } from '../kernel/outputs.ts';
import { deployableImage } from './deployable-image.ts';
import { smallestImage, triedKernel } from './smallest-image.ts';

export default defineFlake({
  description: 'what the tests of images need',
  inputs,
  targets: ['aarch64-linux', 'x86_64-linux'],
  sandbox: ({ pins }) => sandboxTool(pins),
  outputs: ({ pins, target }) => {
    const smallest = target === 'aarch64-linux' ? smallestImage(pins) : {};
    const images = {
      ...imageOutputs({ pins, target, packages: createPackages({ pins, target }) }),
      ...smallest,
    };
    const checks = Object.entries(images)
      .filter(([name]) => !/-(?:partitions|direct)$/.test(name))
      .map(([name, image]) => [`${name}-disk-check`, diskCheck(name, { image, pins })] as const);
    return {
      'ssh-client': sshClient(pins),
      emulator: emulatorTree(pins),
      ...smallest,
      ...(target === 'aarch64-linux' && { ...triedKernel(pins), ...deployableImage(pins) }),
      ...kernelTestOutputs({ pins, target }),
      ...Object.fromEntries(checks),
    };
  },
});

/** `ssh` and `ssh-keygen` with all that they load, for the build machine. */
function sshClient(pins: PinsByName): Derivation {
  const libraries = ['libc6', 'libssl3t64', 'libselinux1', 'libpcre2-8-0', 'zlib1g', 'libzstd1'];
  const kerberos = ['libgssapi-krb5-2', 'libkrb5-3', 'libk5crypto3', 'libkrb5support0', 'libkeyutils1'];
  const packages = composePackages('ssh-client-packages', [
    ...pinsOf(pins, 'seed').filter(({ name }) => libraries.includes(name)),
    ...pinsOf(pins, 'system-x86_64-linux').filter(({ name }) =>
      ['openssh-client', 'libcom-err2', ...kerberos].includes(name),
    ),
  ]);
  const include = ['usr/bin/{ssh,ssh-keygen}', 'usr/lib64/*', 'usr/lib/x86_64-linux-gnu/*.so*'];
  return compose({ name: 'ssh-client', parts: [{ input: packages, include }] });
}

// Each program ends the step when it finds something. What they say is the output, and in the log of a failure.
const check = String.raw`
exec 3>&2 >"$out/report" 2>&1
trap 'cat "$out/report" >&3' EXIT
sfdisk --verify /disk.img >verified
cat verified
# Partitions that go beyond the end of the disk are no error to it.
grep -q '^\(Remaining\|A total of\) .* sectors' verified
sfdisk --dump /disk.img | sed -n 's/.*start= *\([0-9]*\), size= *\([0-9]*\), type=.*/\1 \2/p' >partitions
test "$(wc -l <partitions)" = 2
part() {
    sed -n "$2p" partitions | {
        read -r start size
        dd if=/disk.img of="$1" bs=1M iflag=skip_bytes,count_bytes skip=$((start * 512)) count=$((size * 512)) conv=sparse status=none
    }
}
part boot 1
fsck.fat -n boot
part root 2
fsck.ext4 -f -n root
`;

function diskCheck(
  name: string,
  { image, pins }: { readonly image: Output; readonly pins: PinsByName },
): Derivation {
  return run({
    name: `${name}-disk-check`,
    layers: [seedTree(pins), diskTools(pins)],
    inputs: { '/disk.img': from(derivationOf(image), { subpath: `${name}.img` }) },
    argv: ['/bin/sh', '-euc', check],
  });
}
