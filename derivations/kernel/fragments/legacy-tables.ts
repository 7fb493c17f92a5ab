// The packet filters' old tables, which older iptables in containers fill. The new line wants them asked for by name.

import type { Fragment } from '../fragment.ts';

export const legacyTables: Fragment = {
  name: 'legacy-tables',
  on: {
    'old iptables in containers': 'NETFILTER_XTABLES_LEGACY IP_NF_IPTABLES_LEGACY IP6_NF_IPTABLES_LEGACY',
  },
};
