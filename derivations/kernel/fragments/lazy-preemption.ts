// How the new line shares processors among programs: what stands in for voluntary preemption there.

import type { Fragment } from '../fragment.ts';

export const lazyPreemption: Fragment = {
  name: 'lazy-preemption',
  on: { 'good answers without a price in throughput': 'PREEMPT_LAZY' },
};
