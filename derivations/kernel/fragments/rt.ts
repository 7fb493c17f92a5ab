// A kernel that answers within a bounded time: everything but its very core can be interrupted.

import type { Fragment } from '../fragment.ts';

export const rt: Fragment = {
  name: 'rt',
  on: {
    'speed before size': 'CC_OPTIMIZE_FOR_PERFORMANCE',
    'the point of this variant': 'PREEMPT_RT',
    'processors kept free for one task (isolcpus=, nohz_full=, rcu_nocbs=)':
      'NO_HZ_FULL CPU_ISOLATION RCU_NOCB_CPU',
    'a clock that changes its speed answers late': 'CPU_FREQ_DEFAULT_GOV_PERFORMANCE',
  },
};
