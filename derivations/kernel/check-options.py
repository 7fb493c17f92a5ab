
import os, re, sys

asked_file, config_file, kconfig_folder = sys.argv[1:]


def main():
    final = dict(options_of(config_file))
    wrong = [words for words in asked() if final.get(words[0], 'n') != words[1]]
    known = definitions({words[0] for words in wrong})
    for name, value, fragment, reason in wrong:
        print(f'CONFIG_{name}: {fragment} asks for {value} ({reason}), and it is {final.get(name, "n")}; {known[name]}')
    if wrong:
        print(f'{len(wrong)} options are not as asked for. Ask for what they depend on, too, or do not ask for them.')
        sys.exit(1)


def asked():
    with open(asked_file) as lines:
        return [line.rstrip('\n').split('\t') for line in lines]


def options_of(path):
    with open(path) as lines:
        for line in lines:
            match = re.match(r'CONFIG_(\w+)=(.*)', line)
            if match:
                yield match.groups()


# What the kernel's files say about the options, for the reader of an error: where, and the conditions that stand there.
# Those of a menu or an "if" around it are not followed.
def definitions(names):
    found = {name: [] for name in names}
    for folder, folders, files in sorted(os.walk(kconfig_folder)) if names else []:
        for file in sorted(files):
            if file.startswith('Kconfig'):
                path = os.path.join(folder, file)
                with open(path, errors='replace') as text:
                    for name, conditions in entries(text.read(), names):
                        place = os.path.relpath(path, kconfig_folder)
                        found[name].append(f'{place} says ' + (' && '.join(conditions) or 'no condition of its own'))
    return {name: ', '.join(places) or 'this kernel has no such option' for name, places in found.items()}


def entries(text, names):
    for entry in re.split(r'^(?=\s*(?:menu)?config\s|(?:end)?(?:menu|if|choice|source)\b)', text, flags=re.M):
        match = re.match(r'\s*(?:menu)?config\s+(\w+)', entry)
        if match and match.group(1) in names:
            body = re.split(r'^\s*(?:---)?help(?:---)?\s*$', entry, maxsplit=1, flags=re.M)[0].replace('\\\n', ' ')
            conditions = (' '.join(one.split()) for one in re.findall(r'depends on\s+(.*)', body))
            yield match.group(1), [f'({one})' if '||' in one else one for one in conditions]


main()
