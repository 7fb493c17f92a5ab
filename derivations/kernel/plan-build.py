# What to ask the kernel's makefiles for after some sources have changed, in a folder that an earlier build left. It prints a
# word: "clean" (begin anew), "all", "nothing", "image", or "modules" with their names. Read are the lists of dependencies
# that the makefiles keep themselves (*.cmd). Whatever is not understood is "all", and what they cannot see (a new file that
# would be found before another of its name, a change of their own rules) is "clean", whatever else has changed and however
# the last build ended.

import os, re, sys

changed_file, source = sys.argv[1:]


def main():
    with open(changed_file, 'rb') as file:
        changed = [os.fsdecode(name) for name in file.read().split(b'\0') if name]
    print(*plan(changed))


# Rules, and programs that rules call without a word in any list.
own_rules = re.compile(r'(Makefile|Kbuild|(scripts|tools)/.*|arch/[^/]+/Makefile.*|.*\.(awk|bc|pl|py|sed|sh))$')


def plan(changed):
    of_source = [name for name in changed if name.startswith(f'{source}/')]
    if any(own_rules.match(inside(name)) for name in of_source):
        return ['clean']
    known = Known()
    if any(name not in known.targets and known.is_shadow(name) for name in of_source):
        return ['clean']
    if len(of_source) < len(changed) or not os.path.exists('.complete') or not is_separable():
        return ['all']
    unknown = [name for name in changed if name not in known.targets]
    if not all(inside(name).startswith('include/dt-bindings/') for name in unknown):
        return ['all']
    targets = set().union(*(known.targets[name] for name in changed if name in known.targets))
    if not targets:
        return ['nothing']
    if not all(re.match(r'(?!scripts/).*\.o$', target) for target in targets):
        return ['all']
    of_modules = targets & known.of_modules
    if not of_modules:
        return ['image']
    modules = modules_of(of_modules)
    return ['all'] if targets - of_modules or modules is None else ['modules', *sorted(modules)]


def inside(name):
    return name[len(source) + 1 :]


# All that the makefiles know of sources.
class Known:
    def __init__(self):
        self.targets = {}
        self.of_modules = set()
        self.folders = set()
        self.included = {}
        for folder, _, files in os.walk('.'):
            for file in files:
                if file.endswith('.cmd') and file.startswith('.'):
                    self.read(os.path.join(folder, file))
        self.follow_links()

    def read(self, path):
        with open(path, errors='surrogateescape') as file:
            text = file.read()
        target = os.path.normpath(os.path.join(os.path.dirname(path), os.path.basename(path)[1:-4]))
        command = text.split('\n', 1)[0]
        if ' -DMODULE ' in command:
            self.of_modules.add(target)
        self.folders.update(os.path.normpath(one) for one in re.findall(rf'-I\s*({source}[^\s]*)', command))
        own = re.search(r'^source_\S+ := (\S+)', text, re.M)
        for name in map(os.path.normpath, re.findall(rf'(?<!\S){source}/[^\s:]+', text[len(command) :])):
            self.targets.setdefault(name, set()).add(target)
            self.folders.add(os.path.dirname(name))
            if own is None or os.path.normpath(own.group(1)) != name:
                self.included.setdefault(os.path.basename(name), set()).add(name)

    # The lists have the names that files were found by: what depends on a link depends on what it leads to.
    def follow_links(self):
        folders = {folder: (os.path.realpath(folder), links_in(folder)) for folder in map(os.path.dirname, self.targets)}
        for name in list(self.targets):
            real_folder, links = folders[os.path.dirname(name)]
            base = os.path.basename(name)
            real = os.path.realpath(name) if base in links else os.path.join(real_folder, base)
            if real != name:
                self.targets.setdefault(real, set()).update(self.targets[name])

    # Whether another file that is included might have been this one, if it had been there: it ends with the same name, and
    # what is before that is a folder that includes are looked for in.
    def is_shadow(self, name):
        parts = inside(name).split('/')
        for at in range(len(parts)):
            end = '/'.join(parts[at:])
            if '/'.join([source, *parts[:at]]) in self.folders:
                if any(other.endswith('/' + end) for other in self.included.get(parts[-1], [])):
                    return True
        return False


def links_in(folder):
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries if entry.is_symlink()}
    except (FileNotFoundError, NotADirectoryError):
        return set()


# Where the kernel is made from what modules need of it, or modules from it or from all headers, neither is made alone.
def is_separable():
    with open('include/config/auto.conf') as file:
        settings = file.read()
    return not re.search(r'^CONFIG_(TRIM_UNUSED_KSYMS|DEBUG_INFO_BTF|IKHEADERS|LTO|RUST)=', settings, re.M)


def modules_of(objects):
    with open('modules.order') as file:
        modules = [line.strip()[:-2] for line in file]
    found, left = set(), set(objects)
    for module in modules:
        with open(f'{module}.mod') as file:
            parts = {os.path.normpath(part) for part in file.read().split()}
        if parts & objects:
            found.add(f'{module}.ko')
            left -= parts
    return None if left else found


main()
