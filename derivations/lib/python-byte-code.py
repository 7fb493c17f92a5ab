
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
