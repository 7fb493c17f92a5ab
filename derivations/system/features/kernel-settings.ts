// What the kernel is told at every start: links and fifos in folders that all may write to are no traps, and what is for
// root alone is.

import type { Feature } from '../feature.ts';

// As Debian's linux-sysctl-defaults, which its systemd recommends; addresses of the kernel are for root alone as well.
// Networks are in network.ts.
const settings = `kernel.sysrq = 0x01b6
kernel.core_uses_pid = 1
kernel.kptr_restrict = 1
fs.protected_hardlinks = 1
fs.protected_symlinks = 1
fs.protected_regular = 2
fs.protected_fifos = 1
vm.max_map_count = 1048576
`;

export const kernelSettings: Feature = {
  name: 'kernel settings',
  files: { 'usr/lib/sysctl.d/50-default.conf': settings },
};
