
import ast, os, re, sys

from root_tree import files, follow

ROOT = '/root-tree'
OURS = 'usr/lib/python%d.%d' % sys.version_info[:2]
FOLDERS = [OURS, OURS + '/lib-dynload', 'usr/lib/python3/dist-packages']
# What the interpreter has in itself, and a module that another one makes up.
WITHIN = {*sys.builtin_module_names, '_frozen_importlib', '_frozen_importlib_external', 'collections.abc'}
findings, seen = [], set()


def main():
    if not os.path.isdir(f'{ROOT}/{OURS}'):
        others = [name for name in os.listdir(f'{ROOT}/usr/lib') if re.fullmatch(r'python3\.\d+', name)]
        if others or sys.argv[1:]:
            sys.exit(f"the seed has {OURS} and the root has {', '.join(others) or 'no Python'}")
        return
    for name in sys.argv[1:]:
        if not reach(name):
            findings.append(f'{name}: is loaded by name, and is not in the root')
    for path in filter(is_script, sorted(files(ROOT))):
        check(path, package='', neighbours=[os.path.dirname(path)])
    for finding in dict.fromkeys(findings):
        print(finding)
    sys.exit(1 if findings else 0)


def is_script(path):
    if not os.access(f'{ROOT}/{path}', os.X_OK):
        return False
    with open(f'{ROOT}/{path}', 'rb') as file:
        return bool(re.match(rb'#!.*\bpython3', file.readline(256)))


# Python's own words (docs.python.org/3/reference/import.html): importing a.b imports a and then a.b.
def reach(name, neighbours=()):
    parts = name.split('.')
    return all(reach_one('.'.join(parts[:at]), neighbours) for at in range(1, len(parts) + 1))


def reach_one(name, neighbours):
    path = find(name, neighbours)
    if path is None:
        # A module that is no package may make up others inside itself, as os does.
        parent, _, last = name.rpartition('.')
        above = find(parent, neighbours) if last and parent else None
        return name in WITHIN or (above is not None and not is_package(above))
    if path.endswith('.py') and path not in seen:
        check(path, package=name if is_package(path) else name.rpartition('.')[0], neighbours=neighbours)
    return True


# The file of a module, or the folder of a package that is nothing but a folder (PEP 420).
def find(name, neighbours=()):
    folder_only = None
    for folder in [*neighbours, *FOLDERS]:
        base = f"{folder}/{name.replace('.', '/')}"
        for path in (f'{base}/__init__.py', f'{base}.py'):
            if follow(ROOT, path):
                return path
        place, stem = os.path.split(base)
        for other in listing(place):
            if other.startswith(stem + '.') and other.endswith('.so'):
                return f'{place}/{other}'
        if os.path.isdir(f'{ROOT}/{base}'):
            folder_only = folder_only or base
    return folder_only


listings = {}


def listing(folder):
    if folder not in listings:
        listings[folder] = os.listdir(f'{ROOT}/{folder}') if os.path.isdir(f'{ROOT}/{folder}') else []
    return listings[folder]


def is_package(path):
    return path.endswith('/__init__.py') or not path.endswith(('.py', '.so'))


def check(path, package, neighbours):
    seen.add(path)
    for node in at_start(parsed(path).body):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if not reach(alias.name, neighbours):
                    missing(path, alias.name)
            continue
        above = package.split('.')[:len(package.split('.')) - node.level + 1] if node.level else []
        name = '.'.join([*above, *([node.module] if node.module else [])])
        if not reach(name, neighbours):
            missing(path, name)
            continue
        for alias in node.names:
            if not has(name, alias.name, neighbours):
                missing(path, f'{name}.{alias.name}')


def missing(path, name):
    findings.append(f'{path}: imports {name}, which is not in the root')


# Whether "from NAME import WORD" finds it: a module below a package, or anything that the package itself has a name for.
def has(name, word, neighbours):
    path = find(name, neighbours)
    if word == '*' or path is None or not is_package(path):
        return True
    if find(f'{name}.{word}', neighbours):
        return reach(f'{name}.{word}', neighbours)
    return path.endswith('.py') and bool(names_in(path) & {word, '*', '__getattr__'})


known = {}


def names_in(path):
    if path not in known:
        names = set()
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Name):
                names.add(node.id)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names.add(node.name)
            elif isinstance(node, ast.alias):
                names.add(node.asname or node.name.partition('.')[0])
        known[path] = names | {'__name__', '__file__', '__path__', '__doc__'}
    return known[path]


trees = {}


def parsed(path):
    if path not in trees:
        with open(f'{ROOT}/{path}', 'rb') as file:
            trees[path] = ast.parse(file.read(), '/' + path)
    return trees[path]


# The imports that run whenever the module is imported.
def at_start(body):
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from at_start(node.body)
        elif isinstance(node, ast.With) and 'suppress' not in ast.dump(node.items[0]):
            yield from at_start(node.body)
        elif isinstance(node, ast.Try):
            yield from at_start([*([] if node.handlers else node.body), *node.finalbody])


main()
