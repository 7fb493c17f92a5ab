// Docker, or containerd alone.

import type { Feature } from '../feature.ts';

// Shims for versions of containerd that are not here.
const oldShims = 'usr/bin/{containerd-shim,containerd-shim-runc-v1}';

// The units of Debian's packages, but for the order: both daemons come up while cloud-init is still at work, as soon as the
// files and the mounts that a person's user-data names are there. systemd takes back no "After=" of a unit, so these stand
// in for it. The socket comes no earlier: who asks it before then is told that nobody is there, and does not wait for ever.
const early = (description: string, after: string): string => `[Unit]
Description=${description}
DefaultDependencies=no
After=local-fs.target systemd-tmpfiles-setup.service systemd-sysctl.service cloud-init-network.service ${after}
Conflicts=shutdown.target
Before=shutdown.target
`;

const daemon = `
[Service]
Type=notify
Delegate=yes
KillMode=process
Restart=always
RestartSec=5
TasksMax=infinity
LimitNPROC=infinity
LimitCORE=infinity
`;

const containerdUnit = `${early('containerd container runtime', '')}RequiresMountsFor=/var/lib/containerd
${daemon}
ExecStart=/usr/bin/containerd
LimitNOFILE=infinity
OOMScoreAdjust=-999
`;

const dockerUnit = `${early('Docker', 'docker.socket containerd.service')}
Wants=containerd.service
Requires=docker.socket
# A disk that is to be there and is not is no reason to fill the card.
RequiresMountsFor=/var/lib/docker
StartLimitBurst=3
StartLimitIntervalSec=60
${daemon}
EnvironmentFile=-/etc/default/docker
ExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS
ExecReload=/bin/kill -s HUP $MAINPID
TimeoutStartSec=0
OOMScoreAdjust=-500
`;

// Sockets wait for sysinit.target, and that for cloud-init.
const dockerSocket = `${early("Docker's socket", '')}
[Socket]
ListenStream=/run/docker.sock
SocketMode=0660
SocketUser=root
SocketGroup=docker
`;

// Docker makes its layers itself, and asks containerd for none of these.
const containerdForDocker = `version = 2
disabled_plugins = [
  "io.containerd.grpc.v1.cri",
  "io.containerd.internal.v1.opt",
  "io.containerd.internal.v1.restart",
  "io.containerd.internal.v1.tracing",
  "io.containerd.nri.v1.nri",
  "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.blockfile",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.native",
  "io.containerd.snapshotter.v1.zfs",
]

# Not each part of it that starts.
[debug]
level = "warn"
`;

export const docker: Feature = {
  name: 'docker',
  prebuilt: ['docker'],
  groups: [{ name: 'docker', id: 988 }],
  services: {
    enabled: {
      'containerd.service': 'multi-user.target',
      'docker.service': 'multi-user.target',
      'docker.socket': 'sockets.target',
    },
  },
  files: {
    // Its own log format is compressed and has a bound; the default one fills cards.
    'etc/docker/daemon.json': '{ "storage-driver": "overlay2", "log-driver": "local" }\n',
    'etc/containerd/config.toml': containerdForDocker,
    'etc/systemd/system/containerd.service': containerdUnit,
    'etc/systemd/system/docker.service': dockerUnit,
    'etc/systemd/system/docker.socket': dockerSocket,
  },
  folders: { 'var/lib/docker': { mode: '0710' }, 'var/lib/containerd': { mode: '0711' } },
  leftOut: [oldShims, 'etc/containerd/config.toml', 'usr/bin/ctr', 'usr/bin/tini', 'usr/share/docker.io'],
};

export const containerd: Feature = {
  name: 'containerd',
  prebuilt: ['containerd'],
  services: { enabled: { 'containerd.service': 'multi-user.target' } },
  files: { 'etc/systemd/system/containerd.service': containerdUnit },
  folders: { 'var/lib/containerd': { mode: '0711' } },
  listens: [
    {
      program: 'containerd',
      protocol: 'tcp',
      at: '127.0.0.1:*',
      reason: 'for a kubelet of this machine: what commands in containers say, at a port of the moment',
    },
  ],
  leftOut: [oldShims],
};
