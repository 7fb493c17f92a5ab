// Everything that comes from outside, as declarations; `cairn lock` pins them in flake-like.lock. Debian's stable release
// with its updates, and its main area. A mirror drops a file once a newer version has taken its place.

import type { InputDeclaration } from '../engine/model/index.ts';
import { firmwareInputs } from './firmware/inputs.ts';
import { kernelInputs } from './kernel/inputs.ts';
import { kernelMenuInputs } from './kernel/menu.ts';
import { imageInputs } from './images/inputs.ts';
import { emulatorInputs } from './emulator/inputs.ts';
import { debianInput, debianPart, type Package } from './lib/package.ts';
import { trixie } from './lib/suites.ts';
import { cards } from './packages/index.ts';
import { systemInputs } from './system/inputs.ts';

const stable = { kind: 'debian-packages', ...trixie, architecture: 'amd64' } as const;

// What packages depend on for being configured on a live system, for other languages, or for looking for faults.
const withoutInSeed = words(`
  dpkg debconf debconf-2.0 init-system-helpers install-info readline-common gcc-14-base cpp gcc
  gcc-14-aarch64-linux-gnu-base gcc-14-cross-base
  libc6-dev-arm64-cross libc6-arm64-cross libgcc-s1-arm64-cross libstdc++6-arm64-cross
  libasan8 liblsan0 libtsan2 libubsan1 libhwasan0 libitm1 libcc1-0 libquadmath0 libgomp1 libatomic1
  libasan8-arm64-cross liblsan0-arm64-cross libtsan2-arm64-cross libubsan1-arm64-cross libhwasan0-arm64-cross
  libitm1-arm64-cross libgomp1-arm64-cross libatomic1-arm64-cross
  libcrypt-dev rpcsvc-proto libc-dev-bin libgprofng0 libsystemd0 openssl-provider-legacy libdb5.3t64 libgdbm6t64
  libgdbm-compat4t64 libltdl7
`);

const seed = {
  ...stable,
  packages: words(`
    base-files dash bash coreutils sed grep gawk tar xz-utils zstd bzip2 gzip patch diffutils findutils
    bison flex bc m4 pkgconf-bin pkgconf file make debianutils perl-base ncurses-bin libc-bin
    gcc-14-x86-64-linux-gnu gcc-14-aarch64-linux-gnu binutils binutils-aarch64-linux-gnu libc6-dev
    perl autoconf automake libtool autotools-dev libltdl-dev
    python3-minimal cpio rsync kmod libelf-dev libssl-dev openssl
  `),
  without: withoutInSeed,
} as const satisfies InputDeclaration;

// The C++ compilers above the seed: everything else they need is in it.
const cxx = {
  ...stable,
  packages: words(
    'g++-14-x86-64-linux-gnu libstdc++-14-dev g++-14-aarch64-linux-gnu libstdc++-14-dev-arm64-cross',
  ),
  without: words(`
    gcc-14-base gcc-14-x86-64-linux-gnu gcc-14-aarch64-linux-gnu gcc-14-aarch64-linux-gnu-base gcc-14-cross-base
    libgcc-14-dev libgcc-14-dev-arm64-cross libc6 libc6-dev libc6-dev-arm64-cross libc6-arm64-cross
    libstdc++6 libstdc++6-arm64-cross libgcc-s1 libgmp10 libisl23 libmpc3 libmpfr6 libzstd1 zlib1g
  `),
} as const satisfies InputDeclaration;

const sandbox = {
  ...stable,
  packages: words('bubblewrap coreutils'),
  without: words('libacl1 libattr1 libgmp10 libssl3t64 libsystemd0 libgcc-s1'),
} as const satisfies InputDeclaration;

// A shell and what scripts call, for projects that need no compiler: see bootstrap/shell.ts.
const shell = {
  ...stable,
  packages: words('dash coreutils sed grep findutils diffutils mawk tar gzip'),
  without: words('dpkg debianutils libsystemd0 libgcc-s1 openssl-provider-legacy'),
} as const satisfies InputDeclaration;

// Beside compilers of the seed, in steps that ask for it: bootstrap/compile-cache.ts.
const compileCache = {
  ...stable,
  packages: ['ccache'],
  without: words('gcc-14-base libssl3t64'),
} as const satisfies InputDeclaration;

const sysroot = {
  ...stable,
  packages: words('libc6 libc6-dev linux-libc-dev libgcc-s1'),
  without: words('gcc-14-base libc-dev-bin libcrypt-dev rpcsvc-proto'),
} as const satisfies InputDeclaration;

// Compared with, never shipped: see bootstrap/debian-libraries.ts.
const debianLibraries = {
  ...stable,
  packages: words(`
    zlib1g libtinfo6 libncursesw6 libncurses6 libreadline8t64 libcrypt1 libproc2-0
    libblkid1 libfdisk1 libmount1 libsmartcols1 libuuid1 libmagic1t64 libgdbm6t64 libpipeline1
  `),
  without: words('libc6 libselinux1 libsystemd0 readline-common libmagic-mgc libbz2-1.0 liblzma5 libzstd1'),
} as const satisfies InputDeclaration;

type CardName = keyof typeof cards;

/** What a flake that uses these packages spreads into its own inputs. */
export const inputs = {
  seed,
  cxx,
  sandbox,
  shell,
  'compile-cache': compileCache,
  'sysroot-aarch64-linux': { ...sysroot, architecture: 'arm64' },
  'sysroot-x86_64-linux': sysroot,
  'debian-aarch64-linux': { ...debianLibraries, architecture: 'arm64' },
  'debian-x86_64-linux': debianLibraries,
  ...kernelInputs,
  ...kernelMenuInputs,
  ...firmwareInputs,
  ...imageInputs,
  ...emulatorInputs,
  ...systemInputs,
  ...sources(),
  ...debianParts(),
} as const satisfies Readonly<Record<string, InputDeclaration>>;

function sources(): { readonly [Name in CardName]: InputDeclaration } {
  const entries = Object.values(cards).map((card): [string, InputDeclaration] => [card.name, card.source]);
  return Object.fromEntries(entries) as ReturnType<typeof sources>;
}

// Of cards whose series was gone through.
function debianParts(): Readonly<Record<`${string}-debian`, InputDeclaration>> {
  const reviewed = Object.values<Package>(cards).filter(({ leaves }) => leaves !== undefined);
  return Object.fromEntries(
    reviewed.flatMap((card) =>
      'kind' in card.source && card.source.kind === 'debian-source'
        ? [[debianInput(card), debianPart(card.source)] as const]
        : [],
    ),
  );
}

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
