// A container image as `docker load` takes it (a "docker-archive"): one layer, which is a tree. And one to try machines with.

import {
  from,
  run,
  write,
  type Derivation,
  type InputLike,
  type Run,
  type Target,
} from '../../engine/model/index.ts';
import { targetFacts } from '../lib/platform.ts';

export interface ContainerImage {
  /** What it is called after it was loaded: `name:tag`. */
  readonly reference: string;
  readonly target: Target;
  /** Everything in it, at its path. */
  readonly tree: InputLike;
  readonly command: readonly string[];
}

const architectures: Readonly<Record<Target, string>> = { 'aarch64-linux': 'arm64', 'x86_64-linux': 'amd64' };

// Owners are root, times the epoch, entries sorted: the same tree is the same file.
const program = String.raw`set -eu
archive() {
    tar --create --format=gnu --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --mode=u=rwX,go=rX "$@"
}

archive --directory=/tree --file=layer.tar .
layer=$(sha256sum layer.tar | cut -d ' ' -f 1)
sed "s/LAYER/$layer/" /recipe/config.json > config.json
config=$(sha256sum config.json | cut -d ' ' -f 1).json
mv config.json "$config"
sed "s/CONFIG/$config/" /recipe/manifest.json > manifest.json
archive --file="$out/image.tar" manifest.json "$config" layer.tar
`;

/** A tree with `image.tar`. `seed` is where it is made. */
export function containerImage(seed: InputLike, { reference, target, tree, command }: ContainerImage): Run {
  const epoch = '1970-01-01T00:00:00Z';
  const config = {
    architecture: architectures[target],
    os: 'linux',
    created: epoch,
    config: { Cmd: command, Env: ['PATH=/usr/bin:/bin'] },
    rootfs: { type: 'layers', diff_ids: ['sha256:LAYER'] },
    history: [{ created: epoch }],
  };
  const manifest = [{ Config: 'CONFIG', RepoTags: [reference], Layers: ['layer.tar'] }];
  const recipe = write({
    name: 'container-recipe',
    files: {
      'archive.sh': program,
      'config.json': JSON.stringify(config),
      'manifest.json': JSON.stringify(manifest),
    },
  });
  return run({
    name: 'container-image',
    target,
    layers: [seed],
    inputs: { '/tree': tree, '/recipe': recipe },
    argv: ['/bin/sh', '/recipe/archive.sh'],
  });
}

const greeting = `#include <stdio.h>
#include <sys/utsname.h>

int main(void)
{
    struct utsname name;
    uname(&name);
    printf("hello from a container on %s\\n", name.machine);
    return 0;
}
`;

/** A container image of less than a megabyte that says hello: one static program. */
export function helloContainer({
  seed,
  sysroot,
  target,
}: {
  readonly seed: Derivation;
  readonly sysroot: Derivation;
  readonly target: Target;
}): Run {
  const { triplet } = targetFacts[target];
  const compile = `mkdir -p "$out/usr/bin" && ${triplet}-gcc --sysroot=/target -O2 -static -s -o "$out/usr/bin/hello" /source/hello.c`;
  const hello = run({
    name: 'hello-program',
    target,
    layers: [seed],
    inputs: {
      '/target': sysroot,
      '/source': write({ name: 'hello-source', files: { 'hello.c': greeting } }),
    },
    argv: ['/bin/sh', '-c', compile],
  });
  return containerImage(seed, {
    reference: 'hello:1',
    target,
    tree: from(hello),
    command: ['/usr/bin/hello'],
  });
}
