// Addresses by DHCP on every wired interface, names, time, and packet filters. cloud-init adds to it what a person's
// network-config says.

import type { Feature, Listener } from '../feature.ts';

const wired = `# Every wired interface that nothing before this file speaks of.
[Match]
# The kernel calls a USB adapter usb0 if its address is not one of its maker's.
Name=e* usb*

[Network]
DHCP=yes
`;

// A machine without a cable starts its services all the same, and that is no failure.
const waitForOne = `[Service]
ExecStart=
ExecStart=-/usr/lib/systemd/systemd-networkd-wait-online --any --timeout=15
`;

// As Debian's linux-sysctl-defaults, which its systemd recommends.
const networkSettings = `net.ipv4.conf.default.rp_filter = 2
net.ipv4.conf.*.rp_filter = 2
-net.ipv4.conf.all.rp_filter
net.ipv4.conf.default.accept_source_route = 0
net.ipv4.conf.*.accept_source_route = 0
-net.ipv4.conf.all.accept_source_route
net.ipv4.conf.default.promote_secondaries = 1
net.ipv4.conf.*.promote_secondaries = 1
-net.ipv4.conf.all.promote_secondaries
-net.core.default_qdisc = fq_codel
`;

const nameServices = `passwd:    files
group:     files
shadow:    files
gshadow:   files
hosts:     files resolve [!UNAVAIL=return] dns
networks:  files
protocols: files
services:  files
ethers:    files
rpc:       files
`;

// Debian's unit, but for the order: after what a person waits for, since nothing at the start needs a clock more exact than
// the one in hardware.
const timeLater = `[Unit]
Description=The clock is set by the network
ConditionVirtualization=!container
After=network-online.target

[Service]
Type=notify
User=systemd-timesync
AmbientCapabilities=CAP_SYS_TIME
CapabilityBoundingSet=CAP_SYS_TIME
BusName=org.freedesktop.timesync1
# Signatures of names cannot be checked before the time is right.
Environment=SYSTEMD_NSS_RESOLVE_VALIDATE=0
ExecStart=!!/usr/lib/systemd/systemd-timesyncd
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=disconnected
ProtectProc=invisible
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=strict
Restart=always
RestartSec=0
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RuntimeDirectory=systemd/timesync
StateDirectory=systemd/timesync
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service @clock
WatchdogSec=3min
`;

// Names of one label are no question to the whole network, which anybody there could answer.
const noMulticastNames = `[Resolve]
LLMNR=no
MulticastDNS=no
`;

const listeners: readonly Listener[] = [
  ...(['udp', 'tcp'] as const).flatMap((protocol) =>
    ['127.0.0.53%lo:53', '127.0.0.54:53'].map((at) => ({
      program: 'systemd-resolve',
      protocol,
      at,
      reason: 'programs of this machine ask for names; no other machine reaches it',
    })),
  ),
  {
    program: 'systemd-network',
    protocol: 'udp',
    at: '*:68',
    reason: 'the DHCP server answers here, once there is an address',
    sometimes: true,
  },
  {
    program: 'systemd-network',
    protocol: 'udp',
    at: '*:546',
    reason: 'the DHCPv6 server answers here, where a router says that there is one',
    sometimes: true,
  },
  {
    program: 'systemd-timesyn',
    protocol: 'udp',
    at: '*',
    reason: 'the time server answers here, while it is asked',
    sometimes: true,
  },
];

// As update-alternatives would have it.
const filters = ['iptables', 'ip6tables'].flatMap((name) =>
  ['', '-save', '-restore'].map((verb) => `usr/sbin/${name}${verb}`),
);

export const network: Feature = {
  name: 'network',
  users: [
    { name: 'systemd-network', id: 998, home: '/', about: 'systemd Network Management' },
    { name: 'systemd-resolve', id: 997, home: '/', about: 'systemd Resolver' },
    { name: 'systemd-timesync', id: 996, home: '/', about: 'systemd Time Synchronization' },
  ],
  groups: [{ name: 'netdev', id: 987 }],
  services: {
    enabled: {
      'systemd-networkd.service': 'multi-user.target',
      'systemd-networkd.socket': 'sockets.target',
      'systemd-networkd-wait-online.service': 'network-online.target',
      'systemd-resolved.service': 'sysinit.target',
      'systemd-timesyncd.service': 'multi-user.target',
    },
    aliases: {
      'dbus-org.freedesktop.network1.service': 'systemd-networkd.service',
      'dbus-org.freedesktop.resolve1.service': 'systemd-resolved.service',
      'dbus-org.freedesktop.timesync1.service': 'systemd-timesyncd.service',
    },
    masked: ['systemd-networkd-persistent-storage.service', 'systemd-network-generator.service'],
  },
  listens: listeners,
  files: {
    'usr/lib/systemd/resolved.conf.d/50-no-multicast.conf': noMulticastNames,
    'usr/lib/sysctl.d/50-network.conf': networkSettings,
    'etc/systemd/system/systemd-timesyncd.service': timeLater,
    'etc/nsswitch.conf': nameServices,
    'etc/resolv.conf': { symlink: '../run/systemd/resolve/stub-resolv.conf' },
    'etc/systemd/network/80-wired.network': wired,
    'etc/systemd/system/systemd-networkd-wait-online.service.d/any.conf': waitForOne,
    // Interfaces keep the kernel's names, so that a network-config for eth0 is right on every board and in QEMU.
    'etc/systemd/network/73-usb-net-by-mac.link': { symlink: '/dev/null' },
    'etc/systemd/network/99-default.link': { symlink: '/dev/null' },
    ...Object.fromEntries(filters.map((path) => [path, { symlink: 'xtables-nft-multi' }])),
    // Everyone may ping, without a privileged program.
    'usr/lib/sysctl.d/50-ping.conf': 'net.ipv4.ping_group_range = 0 2147483647\n',
  },
  leftOut: [
    // The older interface to packet filters, which our kernel does not have.
    'usr/sbin/{xtables-legacy-multi,iptables-legacy*,ip6tables-legacy*,iptables-apply,ip6tables-apply,nfnl_osf}',
    'usr/bin/iptables-xml',
    'usr/share/iptables',
    'usr/lib/systemd/network/*.example',
    // Of no use without the hardware, or with our one bridge.
    'usr/{bin/rdma,sbin/{arpd,tipc,dcb,devlink,vdpa,tc}}',
    'usr/lib/tc',
  ],
};
