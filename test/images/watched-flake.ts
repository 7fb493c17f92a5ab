// The smallest image with a folder of somebody's own in its root: what is edited there is seen on the console at its next
// start. For a config in another folder, beside which that folder `own` is.

import { emulatorTree, inputs, sandboxTool } from '../../derivations/index.ts';
import { defineFlake, localFolder } from '../../engine/model/index.ts';
import { smallestImageOf, smallestKernel } from './smallest-image.ts';

/** Says what is in the folder's file etc/words. */
const words = '#!/bin/sh\necho "it says $(cat /etc/words)"\n';

export default defineFlake({
  description: 'what is watched',
  inputs,
  targets: ['aarch64-linux'],
  sandbox: ({ pins }) => sandboxTool(pins),
  outputs: ({ pins }) => ({
    emulator: emulatorTree(pins),
    ...smallestImageOf('watched', {
      pins,
      kernel: smallestKernel(pins),
      features: [{ name: 'words', files: { 'usr/sbin/start-services': { text: words, mode: '0755' } } }],
      components: [
        { name: 'own', version: '', sources: [], tree: localFolder({ name: 'own', path: './own' }) },
      ],
    }),
  }),
});
