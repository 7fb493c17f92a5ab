// A machine that kernels can be deployed to, as small as it may be: the smallest image with a network, an ssh server and
// the firmware's variables. And what is deployed to it: a kernel that panics there until a file is made.

import { mergeFragments, type Fragment } from '../../derivations/kernel/fragment.ts';
import { builtInCommandLine } from '../../derivations/kernel/command-line.ts';
import { compileCode } from '../../derivations/kernel/compile-code.ts';
import { configure } from '../../derivations/kernel/configure.ts';
import { buildKernel, kernelCompileCache } from '../../derivations/kernel/kernel.ts';
import { kernelSource } from '../../derivations/kernel/source.ts';
import { seedTree } from '../../derivations/bootstrap/seed.ts';
import type { Component, Feature } from '../../derivations/index.ts';
import { pinsOf, sourcesOf, type PinsByName } from '../../derivations/lib/pins.ts';
import {
  compose,
  composePackages,
  from,
  run,
  type Derivation,
  type Output,
  type Pin,
} from '../../engine/model/index.ts';
import { smallestFragment, smallestImageOf, target } from './smallest-image.ts';

const reachable: Fragment = {
  name: 'reachable',
  on: {
    'the network': 'NET INET UNIX NETDEVICES NET_CORE VIRTIO_NET',
    'what the firmware starts': 'EFIVAR_FS',
    'keys of the ssh server at once': 'HW_RANDOM HW_RANDOM_VIRTIO',
    'its sandbox': 'SECCOMP SECCOMP_FILTER',
  },
  // After its message the machine starts again by itself, as with the kernels of images.
  values: { PANIC_TIMEOUT: 5 },
};

/**
 * Of the kernel that is deployed, by a changed line each: how its release ends, and the first process that it wants. The image
 * has none of that name.
 */
export const second = { release: '-second', init: '/usr/sbin/second-init' } as const;

// What a deployment calls, and `ip`.
const names = 'cp cut dd df find ip mv od rm sed sha256sum tail tar tr wc';

const startServices = `#!/bin/sh
[ ! -d /run/sshd ] || exit 0
mkdir /run/sshd
# What the emulator's network gives to its only machine.
ip address add 10.0.2.15/24 dev eth0
ip link set eth0 up
[ -f /etc/ssh/key ] || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/key
/usr/sbin/sshd
`;

const ssh: Feature = {
  name: 'ssh',
  users: [{ name: 'sshd', id: 990, home: '/run/sshd' }],
  files: {
    ...Object.fromEntries(names.split(' ').map((name) => [`usr/bin/${name}`, { symlink: 'busybox' }])),
    'usr/sbin/start-services': { text: startServices, mode: '0755' },
    'etc/ssh/sshd_config': 'AddressFamily inet\nHostKey /etc/ssh/key\nPasswordAuthentication no\n',
  },
};

/** The image `deployable`, its kernel as `deployable-first`, and `deployable-second`, as a flake's outputs. */
export function deployableImage(pins: PinsByName): Readonly<Record<string, Output>> {
  const name = 'kernel-deployable';
  const options = mergeFragments([smallestFragment, builtInCommandLine(target), reachable]);
  const first = buildKernel({ name, pins, target, options, hasDeviceTrees: false, compileCache: true });
  const seed = seedTree(pins);
  const { tree: source } = kernelSource(pins, 'long-term', seed);
  const edited = compileCode({
    name: `${name}-second`,
    target,
    seed,
    source: editedSource(source, seed),
    configuration: configure({ name, target, seed, source, options }),
    compileCache: kernelCompileCache(pins, target),
  });
  return {
    ...smallestImageOf('deployable', {
      pins,
      kernel: first,
      features: [ssh],
      components: sshServer(pins),
      // Room for what starts, what is tried, and what was before.
      slackBytes: 32e6,
    }),
    'deployable-first': compose({ name: `${name}-all`, parts: [first.image, first.modules] }),
    'deployable-second': compose({ name: `${name}-second-all`, parts: [edited.image, edited.modules] }),
  };
}

/** With other lines in files that are there: what is not compiled anew comes out of the cache. */
function editedSource(source: Derivation, seed: Derivation): Derivation {
  const declared = 'static char *execute_command';
  return compose({
    name: 'linux-second',
    parts: [
      source,
      withLine('Makefile', 'EXTRAVERSION =', `EXTRAVERSION = ${second.release}`),
      withLine('init/main.c', `${declared};`, `${declared} = "${second.init}";`),
    ],
    conflicts: 'later-wins',
  });

  function withLine(path: string, before: string, after: string): Derivation {
    const edit = `s|^${before.replace('*', String.raw`\*`)}$|${after}|w changed`;
    return run({
      name: `linux-second-${path.replaceAll('/', '-')}`,
      layers: [seed],
      inputs: { '/original': from(source, { subpath: path }) },
      argv: [
        '/bin/sh',
        '-euc',
        `install -D -m 644 /original "$out/${path}"; sed -i '${edit}' "$out/${path}"; test -s changed`,
      ],
    });
  }
}

const packages = `
  openssh-server openssh-client libaudit1 libcap-ng0 libcom-err2 libcrypt1 libgssapi-krb5-2 libk5crypto3 libkeyutils1
  libkrb5-3 libkrb5support0 libpam0g libpcre2-8-0 libselinux1 libsqlite3-0 libssl3t64 libtirpc3t64 libwrap0 libwtmpdb0
  libzstd1 zlib1g
`
  .trim()
  .split(/\s+/);

/** Debian's, with what it loads. */
function sshServer(pins: PinsByName): readonly Component[] {
  const all = [...pinsOf(pins, `system-${target}`), ...pinsOf(pins, `debian-${target}`)];
  const include = [
    'usr/sbin/sshd',
    'usr/lib/openssh/sshd-*',
    'usr/bin/ssh-keygen',
    'usr/lib/aarch64-linux-gnu/*.so*',
  ];
  const component = (pin: Pin): Component => ({
    name: pin.name,
    version: pin.version,
    sources: sourcesOf(pin),
    tree: compose({ name: pin.name, parts: [{ input: composePackages(`${pin.name}-all`, [pin]), include }] }),
  });
  return all.filter(({ name }) => packages.includes(name)).map(component);
}
