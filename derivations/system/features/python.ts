// Python's modules compiled beforehand: each start of cloud-init would compile some hundred of them otherwise.

import { compose, type Derivation } from '../../../engine/model/index.ts';
import { pythonByteCode } from '../../lib/python-byte-code.ts';
import type { Feature, MakeContext } from '../feature.ts';

export const python: Feature = {
  name: 'python',
  makes: [byteCode],
  // Debian's own programs, which manage several versions of Python and compile modules when a package is installed.
  leftOut: ['usr/bin/{py3versions,py3compile,py3clean}'],
};

function byteCode({ packages, seed, target }: MakeContext): Derivation {
  const modules = { input: packages, include: ['usr/lib/python3*/**/*.py'] };
  return pythonByteCode(compose({ name: 'python-modules', parts: [modules] }), { seed, target });
}
