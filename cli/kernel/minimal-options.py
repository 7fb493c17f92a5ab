# What has to be asked for so that the kernel's own configuration program (conf --allnoconfig) gives a .config that somebody
# chose in a menu, beside what others ask for. An option is left out when the result is the same without it.
#
# Arguments: the name of the fragment that is being written, the .config that was chosen, a file for the answer (JSON).
# In the folder that is configured, with the environment in which make calls conf.

import json, os, re, subprocess, sys

fragment, chosen_file, answer_file = sys.argv[1:]
rules = os.environ['srctree']


def main():
    with open(chosen_file) as file:
        chosen_text = file.read()
    chosen = options_of(chosen_text)
    base = asked_by_others()
    changed = differing(base, chosen_text)
    # What others ask for and does not hold any more has to be said: they are overruled.
    overruled = {name: chosen.get(name, 'n') for name, value in base.items() if chosen.get(name, 'n') != value}
    wanted = {name: chosen.get(name, 'n') for name in changed if name not in overruled}

    def is_right(names):
        return configured({**base, **overruled, **{name: wanted[name] for name in names}}) == chosen_text

    known = Rules()
    likely = [name for name in sorted(wanted) if known.is_likely(name, wanted)]
    others = [name for name in sorted(wanted) if name not in likely]
    certain = [name for name in likely if known.is_certain(name, wanted[name])]
    doubtful = [name for name in likely if name not in certain]
    needed = minimal(others, likely, is_right)
    needed = [*certain, *needed, *minimal(doubtful, [*certain, *needed], is_right)]
    if not is_right(needed):
        needed = sorted(wanted)
    final = {**base, **overruled, **{name: wanted[name] for name in needed}}
    rows = [(name, wanted[name], False) for name in needed] + [(name, value, True) for name, value in overruled.items()]
    answer = {
        'options': [{'name': name, 'value': value, 'overrules': overrules} for name, value, overrules in sorted(rows)],
        'unreached': sorted(differing(final, chosen_text)),
    }
    with open(answer_file, 'w') as file:
        json.dump(answer, file)


def options_of(text):
    pattern = r'^(?:CONFIG_(\w+)=(.*)|# CONFIG_(\w+) is not set)$'
    return {set_ or off: value or 'n' for set_, value, off in re.findall(pattern, text, flags=re.M)}


# The fragment's own wishes are not among them; what it overrules is.
def asked_by_others():
    rows = list(rows_of('/asked/asked.tsv'))
    own = {name for name, value, source, reason in rows if source == fragment}
    overruled = {name: value for name, value, source, reason in rows_of('/asked/overruled.tsv') if name in own}
    return {**{name: value for name, value, source, reason in rows if name not in own}, **overruled}


def rows_of(path):
    if not os.path.exists(path):
        return
    with open(path) as lines:
        for line in lines:
            yield line.rstrip('\n').split('\t')


results = {}


def configured(options):
    key = tuple(sorted(options.items()))
    if key not in results:
        with open('asked.try', 'w') as file:
            file.writelines(f'CONFIG_{name}={value}\n' for name, value in options.items())
        env = {**os.environ, 'KCONFIG_ALLCONFIG': 'asked.try', 'KCONFIG_CONFIG': 'config.try'}
        conf = ['scripts/kconfig/conf', '-s', '--allnoconfig', 'Kconfig']
        subprocess.run(conf, env=env, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open('config.try') as file:
            results[key] = file.read()
    return results[key]


def differing(options, text):
    mine, theirs = options_of(configured(options)), options_of(text)
    return [name for name in {*mine, *theirs} if mine.get(name, 'n') != theirs.get(name, 'n')]


# Those of `names` that cannot be left out when `kept` is there, by halves (QuickXplain): few are needed of many.
def minimal(names, kept, is_right):
    if not names or is_right(kept):
        return []
    return smallest(names, kept, is_right)


def smallest(names, kept, is_right):
    if len(names) == 1:
        return names
    half = len(names) // 2
    first, second = names[:half], names[half:]
    of_second = minimal(second, [*kept, *first], is_right)
    return [*minimal(first, [*kept, *of_second], is_right), *of_second]


# What the kernel's files say of options, roughly, so that few runs are needed: the answer is right or wrong by the runs alone.
class Rules:
    def __init__(self):
        self.prompted, self.unlike, self.selected_by = set(), set(), {}
        for folder, folders, files in os.walk(rules):
            for file in files:
                if file.startswith('Kconfig'):
                    with open(os.path.join(folder, file), errors='replace') as lines:
                        self.read(lines)

    def read(self, lines):
        name, choice = None, False
        for line in lines:
            words = line.split()
            first = words[0] if words else ''
            if first in ('config', 'menuconfig') and len(words) == 2:
                name = words[1]
                if choice:
                    self.unlike.add(name)
            elif first in ('choice', 'endchoice'):
                name, choice = None, first == 'choice'
            elif first in ('bool', 'tristate', 'string', 'int', 'hex', 'prompt') and '"' in line and name:
                self.prompted.add(name)
                if re.search(r'"\s*if\b|\\$', line):
                    self.unlike.add(name)
            elif first in ('select', 'imply') and len(words) > 1 and name:
                self.selected_by.setdefault(words[1], set()).add(name)

    # A person can have chosen it, and nothing else that was chosen brings it along.
    def is_likely(self, name, wanted):
        selecting = self.selected_by.get(name, set())
        return name in self.prompted and wanted[name] != 'n' and not any(wanted.get(one, 'n') != 'n' for one in selecting)

    # allnoconfig turns off what nobody asks for, nothing selects, and is always up for choice.
    def is_certain(self, name, value):
        return value in ('y', 'm') and name not in self.selected_by and name not in self.unlike


main()
