
import json, os, re, subprocess

DECOMPRESS = {'xz': 'xz', 'zst': 'zstd', 'gz': 'gzip'}
# The columns of "tar -tv": type and mode, owner/group, size, day, time, path.
LINE = re.compile(r'^(.)(\S{9}) ([^ /]+)/(\S+) +\S+ \S+ \S+ \./(.*)$')


def main():
    found = {}
    for name in sorted(os.listdir('/archives')):
        for kind, letters, owner, group, path in entries('/archives/' + name):
            mode = mode_of(letters)
            usual = 0o755 if kind == 'd' or mode & 0o111 else 0o644
            if (mode, owner, group) != (usual, 'root', 'root') and kind != 'l' and path:
                found[path] = {'mode': f'{mode:04o}', 'owner': owner, 'group': group}
    with open(os.environ['out'] + '/attributes.json', 'w') as file:
        json.dump(found, file, indent=1, sort_keys=True)


def entries(archive):
    members = subprocess.run(['ar', 't', archive], capture_output=True, text=True, check=True).stdout.split()
    data = next(member for member in members if member.startswith('data.tar'))
    packed = subprocess.Popen(['ar', 'p', archive, data], stdout=subprocess.PIPE)
    plain = packed.stdout
    if data != 'data.tar':
        program = DECOMPRESS[data.rpartition('.')[2]]
        plain = subprocess.Popen([program, '-dc'], stdin=packed.stdout, stdout=subprocess.PIPE).stdout
    listing = subprocess.run(['tar', '-tv', '--quoting-style=literal'], stdin=plain, capture_output=True, text=True, check=True)
    for line in listing.stdout.splitlines():
        kind, letters, owner, group, path = LINE.match(line).groups()
        if kind == 'h':
            path = path.partition(' link to ')[0]
        yield kind, letters, owner, group, path.rstrip('/')


def mode_of(letters):
    mode = 0
    for at, letter in enumerate(letters):
        if letter in 'rwxst':
            mode |= 0o400 >> at
    for at, bit in ((2, 0o4000), (5, 0o2000), (8, 0o1000)):
        if letters[at] in 'sStT':
            mode |= bit
    return mode


main()
