// Networking as every system has it: addresses, sockets, network cards. What servers have beside it is in server-network.ts.

import type { Fragment } from '../fragment.ts';

export const network: Fragment = {
  name: 'network',
  on: {
    'protocols and sockets':
      'NET INET IPV6 UNIX PACKET UNIX_DIAG PACKET_DIAG INET_DIAG INET_UDP_DIAG SYN_COOKIES',
    routing: 'IP_MULTICAST IP_ADVANCED_ROUTER IP_MULTIPLE_TABLES IPV6_MULTIPLE_TABLES',
    'network cards; without NET_CORE all that is virtual is dropped silently': `
      NETDEVICES NET_CORE ETHERNET ETHTOOL_NETLINK PHYLIB`,
    'several processors work on what one card brings': 'RPS BQL PCPU_DEV_REFCNT',
  },
};
