// What Docker's own check-config.sh (moby's contrib/, 26.1) looks for, as data in its order and groups, so that a kernel
// made here is asked for all of it. Knows nothing of why Docker wants an option.

import type { Fragment } from './fragment.ts';

/** "Generally Necessary": Docker does not work without one of these. */
export const dockerNecessary = {
  namespaces: 'NAMESPACES NET_NS PID_NS IPC_NS UTS_NS',
  cgroups: 'CGROUPS CGROUP_CPUACCT CGROUP_DEVICE CGROUP_FREEZER CGROUP_SCHED CPUSETS MEMCG CGROUP_BPF',
  keys: 'KEYS',
  'the bridge': 'VETH BRIDGE BRIDGE_NETFILTER',
  'packet filters': `
    IP_NF_FILTER IP_NF_MANGLE IP_NF_TARGET_MASQUERADE NETFILTER_XT_MATCH_ADDRTYPE NETFILTER_XT_MATCH_CONNTRACK
    NETFILTER_XT_MATCH_IPVS NETFILTER_XT_MARK IP_NF_NAT NF_NAT`,
  '/dev/mqueue in containers': 'POSIX_MQUEUE',
} as const;

/** "Optional Features" and drivers, but for those in `dockerLeftOut`. */
export const dockerOptional = {
  'users of their own': 'USER_NS',
  'system calls': 'SECCOMP SECCOMP_FILTER',
  limits: `
    CGROUP_PIDS BLK_CGROUP BLK_DEV_THROTTLING CGROUP_PERF CGROUP_HUGETLB NET_CLS_CGROUP CGROUP_NET_PRIO CFS_BANDWIDTH
    FAIR_GROUP_SCHED`,
  'published ports': 'IP_NF_TARGET_REDIRECT',
  'swarm services': 'IP_VS IP_VS_NFCT IP_VS_PROTO_TCP IP_VS_PROTO_UDP IP_VS_RR',
  'profiles of containers': 'SECURITY_APPARMOR',
  'the file system below': 'EXT4_FS EXT4_FS_POSIX_ACL EXT4_FS_SECURITY',
  'overlay networks': 'VXLAN BRIDGE_VLAN_FILTERING',
  'encrypted overlay networks': `
    CRYPTO CRYPTO_AEAD CRYPTO_GCM CRYPTO_SEQIV CRYPTO_GHASH XFRM XFRM_USER XFRM_ALGO INET_ESP
    NETFILTER_XT_MATCH_BPF`,
  'ipvlan and macvlan networks': 'IPVLAN MACVLAN DUMMY',
  'FTP and TFTP in containers': 'NF_NAT_FTP NF_CONNTRACK_FTP NF_NAT_TFTP NF_CONNTRACK_TFTP',
  overlay2: 'OVERLAY_FS',
} as const;

/** What check-config.sh also names and is not asked for here, and why. */
export const dockerLeftOut = {
  MEMCG_SWAP: 'is part of MEMCG since Linux 6.1',
  SECURITY_SELINUX: 'AppArmor does the same work',
  EXT3_FS: 'ext4 reads ext3 (EXT4_USE_FOR_EXT2)',
  EXT3_FS_XATTR: 'as EXT3_FS',
  EXT3_FS_POSIX_ACL: 'as EXT3_FS',
  EXT3_FS_SECURITY: 'as EXT3_FS',
  BTRFS_FS: 'overlay2 is the storage driver',
  BTRFS_FS_POSIX_ACL: 'as BTRFS_FS',
} as const;

/** All of it as a fragment. */
export const docker: Fragment = { name: 'docker', on: { ...dockerNecessary, ...dockerOptional } };
