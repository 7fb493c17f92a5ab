// An image of one's own: cairn's for the Raspberry Pi, with one service more. `cairn build` makes the disk,
// `cairn run mine --user-data FILE` starts it in an emulated machine, `cairn flash mine /dev/sdX` writes a card.

import { defineFlake } from 'cairn-build';
import { emulatorTree, extendImage, inputs, sandboxTool } from 'cairn-build/derivations';
import greet from './greet.sh';
import service from './greet.service';

export default defineFlake({
  description: 'an image of my own',
  inputs,
  // 'pc' is the image for x86_64-linux.
  targets: ['aarch64-linux'],
  sandbox: ({ pins }) => sandboxTool(pins),
  outputs: ({ pins, target }) => {
    const image = extendImage(
      'rpi',
      {
        name: 'mine',
        files: {
          'usr/bin/greet': { text: greet, mode: '0755' },
          'usr/lib/systemd/system/greet.service': service,
        },
        services: { enabled: { 'greet.service': 'multi-user.target' } },
      },
      { pins, target },
    );
    return { ...image, default: image['mine']!, emulator: emulatorTree(pins) };
  },
});
