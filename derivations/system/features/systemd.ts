// systemd, udev and dbus: the first process, devices, the bus, logins. What is not used on a headless machine without an
// initial ram disk is left out or masked: each unit less is processor time less at every boot.

import type { Feature } from '../feature.ts';

// Only the two that this system's boot depends on: /etc/fstab, and a login on each console that the kernel was given.
const generators = 'usr/lib/systemd/system-generators/!(systemd-fstab-generator|systemd-getty-generator)';

// Of devices that a headless machine has not, or that nothing here asks about: each rule is read and tried for every device
// at every boot.
const rulesForOtherDevices = [
  'usr/lib/udev/rules.d/60-{autosuspend,dmi-id,drm,fido-id,infiniband,persistent-alsa,persistent-input,sensor}.rules',
  'usr/lib/udev/rules.d/60-persistent-{storage-mtd,storage-tape,v4l}.rules',
  'usr/lib/udev/rules.d/{64-btrfs,70-camera,70-joystick,70-memory,70-mouse,70-touchpad,75-net-description}.rules',
  'usr/lib/udev/rules.d/{75-probe_mtd,78-sound-card,81-net-dhcp,90-iocost}.rules',
  'usr/lib/udev/{v4l_id,mtd_probe,iocost,fido_id,dmi_memory_id}',
];

// At the start, udev is told again of what the kernel found before it ran: of devices only (a module or driver is nothing
// that a rule here asks about), and of none that has neither a driver to load nor a node that anybody opens. Each costs
// processor time, and most of the consoles that the kernel makes are never used. What comes later is not touched by this.
const not = (subsystem: string): string => `--subsystem-nomatch=${subsystem}`;
const knownBefore = [
  '--type=devices',
  '--action=add',
  '--prioritized-subsystem=block,net,tty,input',
  ...['bdi', 'clockevents', 'clocksource', 'event_source', 'pci_bus'].map(not),
  ...['serial-base', 'vc', 'vtconsole', 'workqueue'].map(not),
  // What ACPI tells of is told of again as devices of the platform or of a bus.
  not('acpi'),
  // Consoles 0 to 63: devices of major number 4; from 64 on these are serial lines.
  ...['?', '[1-5]?', '6[0-3]'].map((minor) => `--attr-nomatch=dev=4:${minor}`),
  // Loop devices that nothing is behind yet.
  '--attr-nomatch=dev=7:*',
];
const tellUdev = `[Service]
ExecStart=
ExecStart=-udevadm trigger ${knownBefore.join(' ')}
`;

// The kernel is built with what these would load or mount, or nothing here uses it.
const masked = [
  ...[
    'modprobe@configfs.service',
    'modprobe@drm.service',
    'modprobe@fuse.service',
    'modprobe@efi_pstore.service',
  ],
  ...[
    'sys-kernel-debug.mount',
    'sys-kernel-tracing.mount',
    'sys-fs-fuse-connections.mount',
    'sys-kernel-config.mount',
  ],
  ...[
    'dev-hugepages.mount',
    'systemd-binfmt.service',
    'proc-sys-fs-binfmt_misc.automount',
    'kmod-static-nodes.service',
  ],
  // What they would do at the first boot is done here already.
  ...[
    'ldconfig.service',
    'systemd-sysusers.service',
    'systemd-firstboot.service',
    'systemd-update-done.service',
  ],
  // The kernel itself makes all nodes in /dev, for no driver is a module.
  ...['systemd-tmpfiles-setup-dev.service', 'systemd-tmpfiles-setup-dev-early.service'],
  ...['systemd-hwdb-update.service', 'systemd-journal-catalog-update.service'],
  ...['systemd-hibernate-clear.service', 'systemd-pstore.service', 'systemd-udev-load-credentials.service'],
  ...['systemd-hostnamed.socket', 'systemd-sysext.socket', 'systemd-creds.socket', 'systemd-initctl.socket'],
  ...['systemd-pcrextend.socket', 'systemd-pcrlock.socket', 'systemd-journald-audit.socket'],
  ...['systemd-ask-password-console.path', 'systemd-ask-password-wall.path'],
  ...['e2scrub_reap.service', 'getty-static.service'],
];

// What pam-auth-update would have written.
const pam = {
  'etc/pam.d/common-auth':
    'auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\nauth required pam_permit.so\n',
  'etc/pam.d/common-account':
    'account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\naccount requisite pam_deny.so\naccount required pam_permit.so\n',
  'etc/pam.d/common-password':
    'password [success=1 default=ignore] pam_unix.so obscure yescrypt\npassword requisite pam_deny.so\npassword required pam_permit.so\n',
  'etc/pam.d/common-session':
    'session optional pam_umask.so\nsession required pam_unix.so\nsession optional pam_systemd.so\n',
  'etc/pam.d/common-session-noninteractive': 'session optional pam_umask.so\nsession required pam_unix.so\n',
  'etc/pam.d/other':
    'auth required pam_deny.so\naccount required pam_deny.so\npassword required pam_deny.so\nsession required pam_deny.so\n',
};

export const systemd: Feature = {
  name: 'systemd',
  prebuilt: ['system'],
  users: [{ name: 'messagebus', id: 991, home: '/nonexistent', about: 'System Message Bus' }],
  groups: [
    { name: 'systemd-journal', id: 999 },
    { name: 'input', id: 995 },
    { name: 'sgx', id: 994 },
    { name: 'clock', id: 993 },
    { name: 'kvm', id: 992 },
    { name: 'render', id: 989 },
  ],
  services: {
    enabled: {
      'getty@tty1.service': 'getty.target',
      // Wants what /etc/fstab has over a network, and so what user-data mounts: cloud-init writes it down as such.
      'remote-fs.target': 'multi-user.target',
    },
    masked,
  },
  attributes: {
    // Starts services for users who ask the bus for them.
    'usr/lib/dbus-1.0/dbus-daemon-launch-helper': { mode: '4754', group: 'messagebus' },
  },
  files: {
    ...pam,
    'etc/systemd/system/default.target': { symlink: '/usr/lib/systemd/system/multi-user.target' },
    // A login does not wait until nothing else is starting. A serial line is not asked how large its terminal is: most
    // never answer, and each question waits for that.
    'etc/systemd/system/getty@.service.d/at-once.conf': '[Service]\nType=simple\n',
    'etc/systemd/system/serial-getty@.service.d/at-once.conf': '[Service]\nType=simple\nTTYReset=no\n',
    'etc/systemd/system/systemd-udev-trigger.service.d/devices.conf': tellUdev,
    // Empty, not absent: systemd fills it at the first boot, and does not take that for the first boot of a machine
    // whose units nobody has chosen.
    'etc/machine-id': '',
    'var/lib/dbus/machine-id': { symlink: '/etc/machine-id' },
  },
  folders: { 'etc/systemd/system': {}, 'var/lib/systemd': {} },
  leftOut: [
    generators,
    ...rulesForOtherDevices,
    'usr/lib/systemd/{user-generators,user-environment-generators,ntp-units.d,ssh_config.d}',
    'etc/ssh/ssh_config.d/20-systemd-ssh-proxy.conf',
    'usr/lib/tmpfiles.d/{20-systemd-ssh-generator,20-systemd-stub,x11,systemd-pstore}.conf',
    'usr/lib/systemd/systemd-{bsod,measure,pcrlock,pcrextend,storagetm,tpm2-setup,battery-check,sysv-install}',
    'usr/lib/*/security/{pam_userdb,pam_stress,pam_debug}.so',
    // No library or locale is ever added.
    'usr/{sbin/ldconfig,bin/localedef,sbin/{zic,iconvconfig},bin/{zdump,pldd}}',
    // Links to settings that this system does not have.
    'etc/modules-load.d/modules.conf',
    'usr/lib/environment.d/99-environment.conf',
    // For checking a mounted ext4 with LVM.
    '{usr/sbin/e2scrub*,etc/e2scrub.conf,usr/lib/e2fsprogs/**,usr/lib/udev/rules.d/96-e2scrub.rules}',
  ],
};
