// The usual way to share processors among programs. The other way is rt.ts.

import type { Fragment } from '../fragment.ts';

export const standard: Fragment = {
  name: 'standard',
  on: {
    'speed before size': 'CC_OPTIMIZE_FOR_PERFORMANCE',
    'good answers without a price in throughput':
      'PREEMPT_VOLUNTARY NO_HZ_IDLE CPU_FREQ_DEFAULT_GOV_SCHEDUTIL SLUB_CPU_PARTIAL',
    'large pages for programs that ask for them': 'TRANSPARENT_HUGEPAGE TRANSPARENT_HUGEPAGE_MADVISE',
  },
};
