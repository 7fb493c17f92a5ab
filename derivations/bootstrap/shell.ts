// A small root with a shell and what scripts call: sh, the usual file and text utilities, awk, tar and gzip, and no compiler.
// Prebuilt packages, as the seed is, of a twentieth of its size: where a project of one's own begins.

import { compose, composePackages, write, type Derivation } from '../../engine/model/index.ts';
import { pinsOf, type PinsByName } from '../lib/pins.ts';

const dropped = [
  'usr/share/{doc,man,info,locale,lintian,bug,bash-completion,debianutils,menu}',
  'usr/lib/x86_64-linux-gnu/gconv',
  'usr/lib/x86_64-linux-gnu/{libcrypto,libssl}.a',
  // They list who is logged in, and need a library for that alone.
  'usr/bin/{pinky,users,who}',
];

const folders = ['bin', 'sbin', 'lib', 'lib64'];

/**
 * The layer for steps that are scripts. Its input is `inputs.shell`.
 * @example run({ name: 'hello', layers: [shellTree(pins)], argv: ['/bin/sh', '-c', 'echo hello > $out/hello'] })
 */
export function shellTree(pins: PinsByName): Derivation {
  return compose({
    name: 'shell',
    parts: [
      { input: composePackages('shell-packages', pinsOf(pins, 'shell')), exclude: dropped },
      write({
        name: 'shell-additions',
        files: {
          ...Object.fromEntries(folders.map((name) => [name, { symlink: `usr/${name}` }])),
          'usr/bin/awk': { symlink: 'mawk' },
          'etc/passwd': 'root:x:0:0:root:/build:/bin/sh\n',
          'etc/group': 'root:x:0:\n',
        },
      }),
    ],
  });
}
