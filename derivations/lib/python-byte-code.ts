// Python modules compiled beforehand. The compiled files hold a hash of nothing and no time (PEP 552, unchecked), so that
// they are used as they are.

import { run, type Derivation, type InputLike, type Run, type Target } from '../../engine/model/index.ts';
// The seed's Python has to be of the version that will run: compiled files of another are ignored. One order, one hash
// seed and no code from elsewhere make the same bytes every time.
import compiler from './python-byte-code.py';

/** The compiled files of a tree with `usr/lib/python3*`, at their paths there. */
export function pythonByteCode(
  modules: InputLike,
  { seed, target }: { readonly seed: Derivation; readonly target: Target },
): Run {
  return run({
    name: 'python-byte-code',
    target,
    layers: [seed],
    inputs: { '/packages': modules },
    env: { PYTHONHASHSEED: '0' },
    argv: ['/usr/bin/python3', '-c', compiler],
  });
}
