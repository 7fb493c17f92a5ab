// The prebuilt part of the system: which Debian packages are wanted, and what of their closure is not. One input for
// each thing that an image may go without, so that an image has only what it names.

import type { InputDeclaration, Target } from '../../engine/model/index.ts';
import { trixie } from '../lib/suites.ts';

// What our own packages and the C library of the sysroot provide.
const ours = words(`
  libc6 libgcc-s1 bash dash coreutils sed grep gawk tar gzip diffutils findutils procps psmisc util-linux mount fdisk
  libfdisk1 login login.defs passwd ncurses-base ncurses-bin libtinfo6 libncursesw6 libreadline8t64 readline-common
  zlib1g libcrypt1 libblkid1 libmount1 libsmartcols1 libuuid1 libmagic1t64
`);

// What is for configuring packages on a live system, for machines and clouds that no image here is for, or only pulls
// in what nothing here calls. The check of programs (check-programs.ts) keeps this list honest.
const notNeeded = words(`
  dpkg debconf debconf-2.0 cdebconf init-system-helpers ucf adduser runit-helper perl perl-base lsb-base lsb-release
  sysvinit-utils libpam-runtime logsave base-files gcc-14-base libaudit-common
  mime-support media-types tzdata locales libc-l10n
  libdb5.3t64 libjson-c5 libip4tc2 libip6tc2 libcap2-bin dbus-session-bus-common openssl-provider-legacy
  dhcpcd-base eject gdisk openssl
  python3 libpython3-stdlib
  python3-bcrypt python3-blinker python3-chardet python3-cryptography python3-jsonschema python3-jwt python3-oauthlib
`);

const without = [...ours, ...notNeeded];

const system = packages(`
  netbase libc-bin
  systemd systemd-sysv udev systemd-resolved systemd-timesyncd libnss-resolve libpam-systemd dbus kmod
  iproute2 iputils-ping iptables nftables openssh-server openssh-client ca-certificates sudo nano less
  e2fsprogs dosfstools
`);
const cloudInit = packages(
  'cloud-init cloud-guest-utils netcat-openbsd python3-minimal libpython3.13-stdlib',
);
const containerd = packages('containerd runc');
const docker = packages('docker.io docker-cli containerd runc');
const rtTests = packages('rt-tests');
const tools = packages('xz-utils debianutils');
const timeZones = packages('tzdata');
const appArmor = packages('apparmor');

/** What a feature names: an input without its target. */
export const prebuiltInputs = {
  system,
  'cloud-init': cloudInit,
  containerd,
  docker,
  'rt-tests': rtTests,
  tools,
  'time-zones': timeZones,
  apparmor: appArmor,
};
export type SystemInput = keyof typeof prebuiltInputs;

/** The inputs, for both targets: `system-aarch64-linux` and so on. */
export const systemInputs = Object.assign(
  {},
  ...Object.entries(prebuiltInputs).map(([name, wanted]) => forTargets(name as SystemInput, wanted)),
) as Readonly<Record<`${SystemInput}-${Target}`, InputDeclaration>>;

type Wanted = Omit<Extract<InputDeclaration, { kind: 'debian-packages' }>, 'architecture'>;

function packages(names: string): Wanted {
  const wanted = words(names);
  // What one image goes without is what another feature may ask for.
  return {
    kind: 'debian-packages',
    ...trixie,
    packages: wanted,
    without: without.filter((name) => !wanted.includes(name)),
  };
}

function forTargets(name: SystemInput, wanted: Wanted): Readonly<Record<string, InputDeclaration>> {
  return {
    [`${name}-aarch64-linux`]: { ...wanted, architecture: 'arm64' },
    [`${name}-x86_64-linux`]: { ...wanted, architecture: 'amd64' },
  };
}

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
