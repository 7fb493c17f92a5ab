// Programs that measure how soon a real-time kernel answers: cyclictest and its kin.

import type { Feature } from '../feature.ts';

export const realTime: Feature = {
  name: 'real time',
  prebuilt: ['rt-tests'],
  leftOut: ['usr/bin/determine_maximum_mpps', 'usr/sbin/{hwlatdetect,get_cyclictest_snapshot}', 'usr/src'],
};
