// The ssh server, for keys only unless cloud-init is told otherwise (`ssh_pwauth: true` writes a file that counts first).

import type { Feature } from '../feature.ts';

const server = `Include /etc/ssh/sshd_config.d/*.conf

KbdInteractiveAuthentication no
UsePAM yes
PrintMotd no
AcceptEnv LANG LC_* COLORTERM NO_COLOR
Subsystem sftp /usr/lib/openssh/sftp-server
`;

export const ssh: Feature = {
  name: 'ssh',
  users: [{ name: 'sshd', id: 990, group: 'nogroup', home: '/run/sshd', about: 'sshd user' }],
  services: {
    enabled: { 'ssh.service': 'multi-user.target' },
    aliases: { 'sshd.service': 'ssh.service' },
    // cloud-init makes the host keys.
    masked: ['sshd-keygen.service', 'rescue-ssh.target'],
  },
  listens: ['0.0.0.0:22', '[::]:22'].map((at) => ({
    program: 'sshd',
    protocol: 'tcp',
    at,
    reason: 'people log in, with a key',
  })),
  files: {
    'etc/ssh/sshd_config': server,
    'etc/ssh/sshd_config.d/90-keys-only.conf': 'PasswordAuthentication no\n',
  },
  groups: [{ name: '_ssh', id: 986 }],
  leftOut: [
    // Keys on tokens and of hosts as users, and the groups for a key exchange that has fallen out of use.
    'usr/lib/openssh/{ssh-sk-helper,ssh-pkcs11-helper,ssh-keysign,agent-launch}',
    'usr/bin/{ssh-keyscan,ssh-agent,ssh-add}',
    'etc/ssh/moduli',
    'usr/share/openssh',
    'usr/lib/systemd/user/ssh-agent.*',
    'usr/lib/systemd/user/graphical-session-pre.target.wants',
  ],
};

export const sudo: Feature = {
  name: 'sudo',
  leftOut: [
    'usr/{bin/cvtsudoers,bin/sudoreplay,sbin/sudo_logsrvd,sbin/sudo_sendlog}',
    'etc/sudo_logsrvd.conf',
  ],
};
