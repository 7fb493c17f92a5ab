// Protection of the kernel against programs and of programs against each other, the same on every processor. What is
// particular to one kind of processor is in arm64.ts and x86-64.ts.

import type { Fragment } from '../fragment.ts';

export const security: Fragment = {
  name: 'security',
  on: {
    'weaknesses of processors are worked around': 'CPU_MITIGATIONS',
    stacks:
      'STACKPROTECTOR STACKPROTECTOR_STRONG VMAP_STACK RANDOMIZE_KSTACK_OFFSET RANDOMIZE_KSTACK_OFFSET_DEFAULT INIT_STACK_ALL_ZERO',
    'the kernel is at another address at every boot': 'RELOCATABLE RANDOMIZE_BASE',
    'code cannot be written, data cannot be run': 'STRICT_KERNEL_RWX STRICT_MODULE_RWX',
    'lengths are checked': 'FORTIFY_SOURCE HARDENED_USERCOPY',
    'the heap is hard to guess': `
      SLAB_FREELIST_RANDOM SLAB_FREELIST_HARDENED RANDOM_KMALLOC_CACHES SHUFFLE_PAGE_ALLOCATOR LIST_HARDENED`,
    'system calls can be forbidden': 'SECCOMP SECCOMP_FILTER',
    'security modules': `
      SECURITY SECURITYFS SECURITY_NETWORK SECURITY_PATH SECURITY_LANDLOCK SECURITY_APPARMOR SECURITY_APPARMOR_INTROSPECT_POLICY
      SECURITY_APPARMOR_PARANOID_LOAD SECURITY_YAMA DEFAULT_SECURITY_APPARMOR AUDIT`,
    'users do not read the kernel messages': 'SECURITY_DMESG_RESTRICT',
    keys: 'KEYS',
  },
  off: {
    'memory as a file': 'DEVMEM PROC_KCORE',
    'fixed addresses for old programs': 'COMPAT_BRK',
    'writing into the terminal of others': 'LEGACY_TIOCSTI',
    // It would select the next one.
    'keeping root out of a kernel that nothing has verified': 'SECURITY_LOCKDOWN_LSM',
    'a key that every build makes anew, so that no two give the same bytes': 'MODULE_SIG',
  },
  values: { LSM: 'landlock,yama,apparmor' },
};
