// What containerd, runc, systemd and iptables in containers use beyond Docker's own list (docker-options.ts).

import type { Fragment } from '../fragment.ts';

export const containers: Fragment = {
  name: 'containers',
  on: {
    'limits of memory in huge pages': 'HUGETLBFS',
    'time of their own': 'TIME_NS',
    'BPF programs decide which devices a container may use': 'BPF_SYSCALL BPF_JIT',
    'users load no BPF programs': 'BPF_UNPRIV_DEFAULT_OFF BPF_JIT_ALWAYS_ON',
    'encrypted overlay networks': 'XFRM_INTERFACE CRYPTO_AES CRYPTO_HMAC CRYPTO_SHA256 CRYPTO_USER_API_HASH',
    'without a self-test of every cipher at every boot': 'CRYPTO_MANAGER_DISABLE_TESTS',
    'old iptables in containers': `
      IP_NF_IPTABLES IP6_NF_IPTABLES IP6_NF_FILTER IP6_NF_MANGLE IP6_NF_NAT IP6_NF_TARGET_MASQUERADE IP_NF_RAW
      IP6_NF_RAW`,
    'rules about cgroups and interfaces':
      'NETFILTER_XT_MATCH_CGROUP NETFILTER_XT_TARGET_CT CGROUP_NET_CLASSID',
    'several programs of a container on one port': 'IP_SET IP_SET_HASH_IP IP_SET_HASH_NET NETFILTER_XT_SET',
    'multicast on bridges': 'BRIDGE_IGMP_SNOOPING',
    'cpuset of a process': 'PROC_PID_CPUSET',
    checkpoints: 'CHECKPOINT_RESTORE',
  },
};
