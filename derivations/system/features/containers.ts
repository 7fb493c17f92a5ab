// Docker, or containerd alone.

import type { Feature } from '../feature.ts';

// Shims for versions of containerd that are not here.
const oldShims = 'usr/bin/{containerd-shim,containerd-shim-runc-v1}';

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
  },
  folders: { 'var/lib/docker': { mode: '0710' }, 'var/lib/containerd': { mode: '0711' } },
  leftOut: [oldShims, 'usr/bin/ctr', 'usr/bin/tini', 'usr/share/docker.io'],
};

export const containerd: Feature = {
  name: 'containerd',
  prebuilt: ['containerd'],
  services: { enabled: { 'containerd.service': 'multi-user.target' } },
  folders: { 'var/lib/containerd': { mode: '0711' } },
  leftOut: [oldShims],
};
