// What Debian's packages would set on a machine, and where a server of ours differs: each difference has a reason here, and
// there is no other. Debian's side is as its packages of trixie have it: linux-sysctl-defaults 4.12.1, libpam-runtime 1.7.0,
// openssh-server 10.0, systemd 257 (90-systemd.preset).

import { describe, expect, it } from 'vitest';
import { systems } from '../../derivations/system/index.ts';
import { mergeFeatures } from '../../derivations/system/merge-features.ts';

const servers = Object.entries(systems('aarch64-linux')).filter(([name]) => name !== 'tiny');

interface Difference {
  readonly debian?: string;
  readonly ours?: string;
  readonly reason: string;
}

/** What two lists do not have in common, for comparing with the differences that have a reason. */
function unlike(debian: readonly string[], ours: readonly string[]) {
  return {
    debian: debian.filter((line) => !ours.includes(line)).sort(),
    ours: ours.filter((line) => !debian.includes(line)).sort(),
  };
}
function stated(differences: readonly Difference[]) {
  const of = (side: 'debian' | 'ours'): readonly string[] =>
    differences.flatMap((one) => (one[side] === undefined ? [] : [one[side]])).sort();
  for (const { reason } of differences) expect(reason.length).toBeGreaterThan(10);
  return { debian: of('debian'), ours: of('ours') };
}
const lines = (text: string): readonly string[] =>
  text
    .split('\n')
    .map((line) => line.trim().replaceAll(/[ \t]+/g, ' '))
    .filter((line) => line !== '' && !line.startsWith('#'));

describe.each(servers)('%s, beside Debian', (_, { name, features }) => {
  const merged = mergeFeatures(name, features);
  const textOf = (path: string): string => {
    const file = merged.files[path]!;
    return typeof file === 'string' ? file : 'text' in file ? file.text : '';
  };

  it('sets the same of the kernel, but where a reason says otherwise', () => {
    const debian = `kernel.sysrq = 0x01b6
      kernel.core_uses_pid = 1
      net.ipv4.conf.default.rp_filter = 2
      net.ipv4.conf.*.rp_filter = 2
      -net.ipv4.conf.all.rp_filter
      net.ipv4.conf.default.accept_source_route = 0
      net.ipv4.conf.*.accept_source_route = 0
      -net.ipv4.conf.all.accept_source_route
      net.ipv4.conf.default.promote_secondaries = 1
      net.ipv4.conf.*.promote_secondaries = 1
      -net.ipv4.conf.all.promote_secondaries
      -net.ipv4.ping_group_range = 0 2147483647
      -net.core.default_qdisc = fq_codel
      fs.protected_hardlinks = 1
      fs.protected_symlinks = 1
      fs.protected_regular = 2
      fs.protected_fifos = 1
      vm.max_map_count = 1048576`;
    const ours = Object.keys(merged.files).filter((path) => path.startsWith('usr/lib/sysctl.d/'));
    const differences: readonly Difference[] = [
      { ours: 'kernel.kptr_restrict = 1', reason: 'addresses of the kernel are for root alone' },
      {
        debian: '-net.ipv4.ping_group_range = 0 2147483647',
        ours: 'net.ipv4.ping_group_range = 0 2147483647',
        reason: 'our kernel has IPv4 always, so that a failure would be one',
      },
    ];
    expect(unlike(lines(debian), lines(ours.map(textOf).join('\n')))).toEqual(stated(differences));
  });

  const pam: Readonly<Record<string, readonly [debian: string, differences: readonly Difference[]]>> = {
    'common-auth': [
      `auth [success=1 default=ignore] pam_unix.so nullok
       auth requisite pam_deny.so
       auth required pam_permit.so`,
      [],
    ],
    'common-account': [
      `account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so
       account requisite pam_deny.so
       account required pam_permit.so`,
      [],
    ],
    'common-password': [
      `password [success=1 default=ignore] pam_unix.so obscure yescrypt
       password requisite pam_deny.so
       password required pam_permit.so`,
      [],
    ],
    'common-session': [
      `session [default=1] pam_permit.so
       session requisite pam_deny.so
       session required pam_permit.so
       session optional pam_umask.so
       session required pam_unix.so
       session optional pam_systemd.so`,
      [
        ...['session [default=1] pam_permit.so', 'session requisite pam_deny.so'].map((debian) => ({
          debian,
          reason: 'a frame for modules that decide whether there is a session; none here does',
        })),
        { debian: 'session required pam_permit.so', reason: 'the end of that frame' },
      ],
    ],
    'common-session-noninteractive': [
      `session [default=1] pam_permit.so
       session requisite pam_deny.so
       session required pam_permit.so
       session optional pam_umask.so
       session required pam_unix.so`,
      [
        ...['session [default=1] pam_permit.so', 'session requisite pam_deny.so'].map((debian) => ({
          debian,
          reason: 'a frame for modules that decide whether there is a session; none here does',
        })),
        { debian: 'session required pam_permit.so', reason: 'the end of that frame' },
      ],
    ],
    other: [
      `@include common-auth
       @include common-account
       @include common-password
       @include common-session`,
      [
        ...['auth', 'account', 'password', 'session'].map((kind) => ({
          debian: `@include common-${kind}`,
          ours: `${kind} required pam_deny.so`,
          reason: 'a program that no file of its own speaks of is let in by nobody',
        })),
      ],
    ],
  };
  it.each(Object.entries(pam))('asks the same of who logs in: %s', (file, [debian, differences]) => {
    expect(unlike(lines(debian), lines(textOf(`etc/pam.d/${file}`)))).toEqual(stated(differences));
  });

  it('has the same ssh server, but for keys alone and without windows', () => {
    const debian = `Include /etc/ssh/sshd_config.d/*.conf
      KbdInteractiveAuthentication no
      UsePAM yes
      X11Forwarding yes
      PrintMotd no
      AcceptEnv LANG LC_* COLORTERM NO_COLOR
      Subsystem sftp /usr/lib/openssh/sftp-server`;
    const ours = ['etc/ssh/sshd_config', 'etc/ssh/sshd_config.d/90-keys-only.conf'].map(textOf).join('\n');
    expect(unlike(lines(debian), lines(ours))).toEqual(
      stated([
        { debian: 'X11Forwarding yes', reason: 'nothing here draws windows' },
        { ours: 'PasswordAuthentication no', reason: 'a password can be guessed, from anywhere' },
      ]),
    );
  });

  it('starts the same of systemd, but for what a machine of this kind has no use for', () => {
    const debian = [
      ...['getty@tty1.service', 'remote-fs.target', 'systemd-networkd.service', 'systemd-resolved.service'],
      ...['systemd-networkd-wait-online.service', 'systemd-network-generator.service'],
      ...['systemd-timesyncd.service', 'systemd-pstore.service', 'systemd-journald-audit.socket'],
      'systemd-sysext.service',
    ];
    const ours = Object.keys(merged.enabled).filter((unit) =>
      /^(systemd-.*|getty@.*|remote-fs.*)$/.test(unit),
    );
    expect(unlike(debian, ours)).toEqual(
      stated([
        { debian: 'systemd-network-generator.service', reason: 'the kernel is told of no network' },
        { debian: 'systemd-pstore.service', reason: 'no memory here outlives a crash of the kernel' },
        { debian: 'systemd-journald-audit.socket', reason: 'nobody has made rules of what is audited' },
        { debian: 'systemd-sysext.service', reason: 'no image is laid over the root' },
        { ours: 'systemd-networkd.socket', reason: 'networkd hears of links from the start on' },
        { ours: 'systemd-time-wait-sync.service', reason: 'boards without a clock; it has a limit' },
      ]),
    );
  });
});
