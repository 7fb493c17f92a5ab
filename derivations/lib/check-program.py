
import argparse, os, re, subprocess, sys, time

arguments = argparse.ArgumentParser()
for one in ('--triplet', '--machine'):
    arguments.add_argument(one, required=True)
for several in ('--file', '--library', '--lacks'):
    arguments.add_argument(several, action='append', default=[])
# How protected branches show: in what readelf calls the features of a program, or in an instruction, as hex digits.
arguments.add_argument('--note')
arguments.add_argument('--code', type=bytes.fromhex)
wanted = arguments.parse_args()
library_folder = 'usr/lib/' + wanted.triplet
findings = []
# Whether some program or library has it. Not each of them needs it, but in a whole package one does.
protected = {'a stack protector': None, 'marks where it may be jumped to': None}


def main():
    for output in sorted(os.listdir('/package')):
        for path in walk('/package/' + output):
            check_place(path)
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, 'rb') as file:
                    content = file.read()
                is_elf = content[:4] == b'\x7fELF'
                check_traces(path, content, {**traces, **times} if is_elf else traces)
                if is_elf and not path.endswith('.o'):
                    check_elf(path)
                    note_protection(content)
    for what, is_there in protected.items():
        if is_there is False:
            found('out', f'none of its programs and libraries has {what}')
    for path in wanted.file:
        if not any(os.path.lexists(f'/package/{output}/{path}') for output in os.listdir('/package')):
            found(path, 'is expected and is not there')
    for soname in wanted.library:
        check_library(soname)
    for finding in findings:
        print(finding)
    sys.exit(1 if findings else 0)


def found(path, what):
    findings.append(path.removeprefix('/package/') + ': ' + what)


def walk(top):
    for folder, folders, files in os.walk(top):
        for name in sorted(folders + files):
            yield os.path.join(folder, name)


# Everything of a target is below these; /bin, /sbin and /lib are links into /usr.
def check_place(path):
    top = path.split('/')[3]
    if top not in ('usr', 'etc', 'var'):
        found(path, 'is not below usr, etc or var')


# Traces that a build leaves in files although they say nothing about the target. Times are looked for in programs
# only: a text may well have been written on the day it is built, or be about 1970.
day = re.escape(time.strftime('%b')) + ' +' + str(time.gmtime().tm_mday) + ' ' + time.strftime('%Y')
traces = {
    'a path of the build': rb'(?:(?<![\w.$}/-])|(?<=-[IL]))/(build|src|target|outputs|recipe|package)/',
    'the sysroot': rb'--sysroot=/',
    'the name of the build machine': rb'@cairn\b|-cairn-|\0cairn\0',
}
times = {
    'the time of the build': rb'\b(' + day.encode() + rb'|Jan +1 1970)\b|' + time.strftime('%Y-%m-%d').encode(),
}


def check_traces(path, content, patterns):
    for what, pattern in patterns.items():
        trace = re.search(pattern, content)
        if trace:
            around = content[max(0, trace.start() - 20):trace.end() + 40]
            found(path, f'has {what} in it: {around!r}')


def readelf(*words):
    done = subprocess.run(['readelf', '-W', *words], capture_output=True, text=True, check=True)
    return done.stdout


def check_elf(path):
    text = readelf('-h', '-l', '-d', '-n', path)
    machine = re.search(r'Machine: +(.*)', text).group(1)
    if machine != wanted.machine:
        found(path, f'is for {machine}, not {wanted.machine}')
    if re.search(r'\((RPATH|RUNPATH)\)', text):
        found(path, 'has a library search path in it')
    if 'GNU_RELRO' not in text or not re.search(r'\bBIND_NOW\b|\(FLAGS_1\).*\bNOW\b', text):
        found(path, 'can have its table of functions overwritten: it is linked without -z relro or -z now')
    if wanted.note and not re.search(rf'feature: .*\b{wanted.note}\b', text):
        found(path, f'can be made to jump anywhere: it, or a part of it, is compiled without {wanted.note}')
    for soname in re.findall(r'\(NEEDED\).*\[(.*)\]', text):
        places = [f'{root}/{library_folder}/{soname}' for root in ('/package/out', '/runtime')]
        if not any(os.path.exists(place) for place in places):
            found(path, f'needs {soname}, which neither the package nor what it needs when running has')


# The files that every program starts with have two such instructions.
def note_protection(content):
    protected['a stack protector'] = protected['a stack protector'] or b'\0__stack_chk_fail\0' in content
    if wanted.code:
        marks = 'marks where it may be jumped to'
        protected[marks] = protected[marks] or content.count(wanted.code) > 2


def check_library(soname):
    ours, theirs = (f'{root}/{library_folder}/{soname}' for root in ('/package/out', '/debian'))
    if not os.path.exists(ours):
        return found(soname, 'is expected and is not there')
    name = re.search(r'\(SONAME\).*\[(.*)\]', readelf('-d', ours))
    if not name or name.group(1) != soname:
        found(soname, 'has another soname in it')
    missing = symbols(theirs) - symbols(ours)
    for symbol in sorted(missing - set(wanted.lacks)):
        found(soname, f"lacks {symbol}, which Debian's has")
    return None


def symbols(path):
    lines = (line.split() for line in readelf('--dyn-syms', path).splitlines())
    return {
        words[7].replace('@@', '@')
        for words in lines
        if len(words) > 7 and words[4] in ('GLOBAL', 'WEAK', 'UNIQUE') and words[6] != 'UND'
    }


main()
