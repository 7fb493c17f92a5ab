// Python modules compiled beforehand. The compiled files hold a hash of nothing and no time (PEP 552, unchecked), so that
// they are used as they are.

import { run, type Derivation, type InputLike, type Run, type Target } from '../../engine/model/index.ts';

// The seed's Python has to be of the version that will run: compiled files of another are ignored. One order, one hash
// seed and no code from elsewhere make the same bytes every time.
const compiler = `
import glob, os, py_compile, sys

ours = 'usr/lib/python%d.%d' % sys.version_info[:2]
folders = sorted(glob.glob('usr/lib/python3*', root_dir='/packages'))
if ours not in folders:
    sys.exit('the seed has ' + ours + ' and the root has ' + ', '.join(folders))
for folder in folders:
    for place, inner, names in sorted(os.walk('/packages/' + folder)):
        for name in sorted(names):
            if name.endswith('.py'):
                path = os.path.relpath(os.path.join(place, name), '/packages')
                compiled = '%s/%s/__pycache__/%s.%s.pyc' % (
                    os.environ['out'], os.path.dirname(path), name[:-3], sys.implementation.cache_tag)
                py_compile.compile('/packages/' + path, compiled, '/' + path, doraise=True,
                    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
`;

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
