// The C++ compilers for both targets as a layer above the seed: few packages want them, so few builds see them.

import { compose, composePackages, write, type Derivation } from '../../engine/model/index.ts';
import { pinsOf, type PinsByName } from '../lib/pins.ts';
import { moved } from './seed.ts';

// libstdc++.so is dropped so that libstdc++ is always linked statically, and no target needs it.
const dropped = [
  'usr/share',
  'usr/lib/gcc*/*/14/{libsupc++.a,libstdc++.so,libstdc++fs.a,libstdc++exp.a}',
  'usr/libexec/gcc*/*/14/g++-mapper-server',
];

// Beside the native C compiler, for the reason given in seed.ts.
const moves = {
  'usr/lib/gcc': 'opt/gcc/lib/gcc',
  'usr/libexec/gcc': 'opt/gcc/libexec/gcc',
  'usr/bin/x86_64-linux-gnu-g++-14': 'opt/gcc/bin/x86_64-linux-gnu-g++-14',
  'usr/include': 'opt/gcc/include',
};

/** The layer. */
export function cxxTree(pins: PinsByName): Derivation {
  const packages = compose({
    name: 'cxx-packages',
    parts: [{ input: composePackages('cxx-files', pinsOf(pins, 'cxx')), exclude: dropped }],
  });
  const native = { symlink: '../../opt/gcc/bin/x86_64-linux-gnu-g++-14' };
  const links = write({
    name: 'cxx-links',
    files: {
      'usr/bin/c++': native,
      'usr/bin/g++': native,
      'usr/bin/x86_64-linux-gnu-g++': native,
      'usr/bin/aarch64-linux-gnu-g++': { symlink: 'aarch64-linux-gnu-g++-14' },
    },
  });
  return compose({
    name: 'cxx',
    parts: [{ input: packages, exclude: Object.keys(moves) }, ...moved(packages, moves), links],
  });
}
