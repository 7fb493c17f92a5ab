# What to ask the kernel's makefiles for after some sources have changed, in a folder whose last build came to its end. It
# prints a word: "clean" (begin anew), "all", "nothing", "image", or "modules" with their names. Read are the lists of
# dependencies that the makefiles keep themselves (*.cmd). Whatever is not understood is "all", and what they cannot see (a
# new file that would be found before another of its name, a change of their own rules) is "clean".

import os, re, sys

changed_file, source = sys.argv[1:]


def main():
    with open(changed_file, 'rb') as file:
        changed = [os.fsdecode(name) for name in file.read().split(b'\0') if name]
    print(*plan(changed))


def plan(changed):
    if not all(name.startswith(f'{source}/') for name in changed):
        return ['all']
    if any(re.match(r'(Makefile|Kbuild|(scripts|tools)/.*|arch/[^/]+/Makefile.*)$', inside(name)) for name in changed):
        return ['clean']
    known = Known()
    if any(name not in known.targets and known.is_shadow(name) for name in changed):
        return ['clean']
    unknown = [name for name in changed if name not in known.targets]
    if not all(inside(name).startswith('include/dt-bindings/') for name in unknown):
        return ['all']
    targets = set().union(*(known.targets[name] for name in changed if name in known.targets))
    if not targets:
        return ['nothing']
    if any(not target.endswith('.o') for target in targets) or not is_separable():
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

    def read(self, path):
        with open(path, errors='surrogateescape') as file:
            text = file.read()
        target = os.path.normpath(os.path.join(os.path.dirname(path), os.path.basename(path)[1:-4]))
        command = text.split('\n', 1)[0]
        if ' -DMODULE ' in command:
            self.of_modules.add(target)
        self.folders.update(os.path.normpath(one) for one in re.findall(rf'-I\s*({source}[^\s]*)', command))
        own = re.search(r'^source_\S+ := (\S+)', text, re.M)
        for name in re.findall(rf'(?<!\S){source}/[^\s:]+', text[len(command) :]):
            self.targets.setdefault(name, set()).add(target)
            self.folders.add(os.path.dirname(name))
            if own is None or own.group(1) != name:
                self.included.setdefault(os.path.basename(name), set()).add(name)

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


# Where the kernel is made from what modules need of it, or modules from it, neither is made alone.
def is_separable():
    with open('include/config/auto.conf') as file:
        settings = file.read()
    return not re.search(r'^CONFIG_(TRIM_UNUSED_KSYMS|DEBUG_INFO_BTF|LTO|RUST)=', settings, re.M)


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
