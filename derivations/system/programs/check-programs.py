
import argparse, os, re, subprocess, sys

from root_tree import files, follow

ROOT = '/root-tree'
arguments = argparse.ArgumentParser()
arguments.add_argument('--triplet', required=True)
arguments.add_argument('--machine', required=True)
wanted = arguments.parse_args()
USUAL_FOLDERS = [f'usr/lib/{wanted.triplet}', 'usr/lib']
findings = []
objects = {}


class Object:
    def __init__(self, path):
        self.path = path
        self.machine = self.loader = self.soname = None
        self.needed, self.folders = [], []
        # By symbol version, the library that should have it; what is exported and imported, as name@VERSION or name.
        self.version_needs, self.versions, self.exports, self.imports = [], set(), set(), set()


def main():
    scripts = []
    for path in sorted(files(ROOT)):
        with open(f'{ROOT}/{path}', 'rb') as file:
            start = file.read(256)
        if start[:4] == b'\x7fELF' and start[16] in (2, 3):
            objects[path] = Object(path)
        elif start[:2] == b'#!' and os.access(f'{ROOT}/{path}', os.X_OK):
            scripts.append((path, start[2:].split(b'\n')[0].decode(errors='replace')))
    paths = sorted(objects)
    for at in range(0, len(paths), 200):
        read_objects(paths[at:at + 200])
    for path in paths:
        check_object(objects[path])
    for path, line in scripts:
        check_script(path, line)
    for finding in findings:
        print(finding)
    if not objects:
        print('there is no program in the root')
    sys.exit(1 if findings or not objects else 0)


def found(path, what):
    findings.append(f'{path}: {what}')


def read_objects(paths):
    command = ['readelf', '-W', '-h', '-l', '-d', '-V', '--dyn-syms', *(f'{ROOT}/{path}' for path in paths)]
    text = subprocess.run(command, capture_output=True, text=True, errors='replace').stdout
    if len(paths) == 1:  # readelf names files only when there are several
        text = f'\nFile: {ROOT}/{paths[0]}\n' + text
    for part in re.split(r'^File: ' + re.escape(ROOT) + '/', text, flags=re.MULTILINE)[1:]:
        path, _, rest = part.partition('\n')
        read_object(objects[path], rest)


DYNAMIC = re.compile(r'\((NEEDED|SONAME|RUNPATH|RPATH)\).*\[(.*)\]')
SYMBOL = re.compile(r'^ +\d+: \S+ +\S+ +\S+ +(GLOBAL|WEAK|UNIQUE) +\S+ +(?:\[[^]]*\] +)?(\S+) (\S+)(?: \(\d+\))?\s*$')
NEED_FILE = re.compile(r'Version: \d+  File: (\S+)  Cnt:')
NEED_NAME = re.compile(r'Name: (\S+)  Flags: (.*?)  Version: \d+')
DEFINED = re.compile(r'Rev: \d+  Flags: .*  Name: (\S+)')


def read_object(one, text):
    library = None
    for line in text.splitlines():
        if match := SYMBOL.match(line):
            binding, section, name = match.groups()
            name = name.replace('@@', '@')
            if section != 'UND':
                one.exports.add(name)
                one.exports.add(name.partition('@')[0])
            elif binding != 'WEAK':
                one.imports.add(name)
        elif match := DYNAMIC.search(line):
            kind, value = match.groups()
            if kind == 'NEEDED':
                one.needed.append(value)
            elif kind == 'SONAME':
                one.soname = value
            else:
                one.folders += value.split(':')
        elif match := NEED_FILE.search(line):
            library = match.group(1)
        elif match := NEED_NAME.search(line):
            if 'WEAK' not in match.group(2):
                one.version_needs.append((library, match.group(1)))
        elif match := DEFINED.search(line):
            one.versions.add(match.group(1))
        elif 'program interpreter:' in line:
            one.loader = line.partition('interpreter:')[2].strip(' ]')
        elif line.startswith('  Machine:'):
            one.machine = line.partition(':')[2].strip()


def check_object(one):
    if one.machine != wanted.machine:
        return found(one.path, f'is for {one.machine}, not {wanted.machine}')
    if one.loader and resolve(one.loader) is None:
        found(one.path, f'is loaded by {one.loader}, which is not in the root')
    for soname in one.needed:
        if library_of(one, soname) is None:
            found(one.path, f'needs {soname}, which is not in the root')
    for soname, version in one.version_needs:
        library = library_of(one, soname)
        if library and version not in library.versions:
            found(one.path, f'needs {version} of {soname}, and {library.path} does not have it')
    # A plug-in takes names without a version from whoever loads it; a program has to find all of them.
    exported = None
    for symbol in sorted(one.imports):
        if '@' in symbol or one.loader:
            exported = exported if exported is not None else exports_for(one)
            if symbol not in exported:
                found(one.path, f'needs the symbol {symbol}, which none of its libraries has')


def exports_for(one):
    seen, waiting, exported = set(), [one], set()
    while waiting:
        current = waiting.pop()
        if current.path in seen:
            continue
        seen.add(current.path)
        exported |= current.exports
        waiting += [library for library in (library_of(current, soname) for soname in current.needed) if library]
        if current.loader and resolve(current.loader) in objects:
            waiting.append(objects[resolve(current.loader)])
    return exported


def library_of(one, soname):
    here = '/' + os.path.dirname(one.path)
    own = [folder.replace('$ORIGIN', here).replace('$' + '{ORIGIN}', here) for folder in one.folders]
    # A library in a folder of its own is loaded by who knows that folder, and finds its neighbours loaded already.
    neighbours = [here] if not one.loader else []
    for folder in [*own, *USUAL_FOLDERS, *neighbours]:
        path = resolve(f'{folder}/{soname}')
        if path in objects:
            return objects[path]
    return None


def check_script(path, line):
    words = line.split()
    if not words:
        return found(path, 'does not say which program runs it')
    names = [words[0]]
    if os.path.basename(words[0]) == 'env':
        named = [word for word in words[1:] if not word.startswith('-') and '=' not in word]
        names += [next((f'{bin}/{named[0]}' for bin in ('usr/bin', 'usr/sbin') if resolve(f'{bin}/{named[0]}')), named[0])] if named else []
    for name in names:
        if resolve(name) is None:
            found(path, f'is run by {name}, which is not in the root')
    return None


resolved = {}


def resolve(path):
    if path not in resolved:
        resolved[path] = follow(ROOT, path)
    return resolved[path]


main()
