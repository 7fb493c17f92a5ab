// A kernel as small as it may be while it still starts all the same machines: nothing for containers or servers.

import type { Fragment } from '../fragment.ts';

export const tiny: Fragment = {
  name: 'tiny',
  on: {
    'size before speed': 'CC_OPTIMIZE_FOR_SIZE',
    'good answers without a price in throughput':
      'PREEMPT_VOLUNTARY NO_HZ_IDLE CPU_FREQ_DEFAULT_GOV_SCHEDUTIL',
  },
};
