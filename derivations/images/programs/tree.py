
import hashlib, json, os, re, stat, sys


def fail(message):
    sys.exit('error: ' + message)


class Entry:
    """A file, folder or symlink: where it will be, and where it is now."""

    def __init__(self, path, source, status):
        self.path = path
        self.source = source
        self.kind = {stat.S_IFDIR: 'folder', stat.S_IFREG: 'file', stat.S_IFLNK: 'symlink'}[stat.S_IFMT(status.st_mode)]
        self.target = os.readlink(source) if self.kind == 'symlink' else None
        self.size = status.st_size if self.kind == 'file' else 0
        self.executable = self.kind == 'file' and bool(status.st_mode & 0o100)
        self.inode = (status.st_dev, status.st_ino)
        self.mode = 0o777 if self.kind == 'symlink' else 0o755 if self.executable or self.kind == 'folder' else 0o644
        self.uid = self.gid = 0


def walk(top):
    """All that is below a folder, each folder before what is in it."""
    ahead = [iter(listed(top, ''))]
    while ahead:
        entry = next(ahead[-1], None)
        if entry is None:
            ahead.pop()
            continue
        yield entry
        if entry.kind == 'folder':
            ahead.append(iter(listed(entry.source, entry.path + '/')))


def listed(folder, path):
    for name in sorted(os.listdir(folder), key=os.fsencode):
        source = os.path.join(folder, name)
        yield Entry(path + name, source, os.lstat(source))


def apply_attributes(entries, attributes):
    """Gives entries the owners and modes that attributes.json has for them."""
    by_path = {entry.path: entry for entry in entries}
    for path, attribute in attributes.items():
        if path not in by_path:
            fail(f'attributes.json names {path}, which is not in the root file system')
        unknown = sorted(set(attribute) - {'mode', 'uid', 'gid'})
        if unknown:
            fail(f'attributes.json gives {path} an unknown attribute "{unknown[0]}"')
        mode = attribute.get('mode')
        if mode is not None and not (isinstance(mode, str) and re.fullmatch('[0-7]{3,5}', mode)):
            fail(f'attributes.json gives {path} the mode {json.dumps(mode)}; write an octal text such as "04755"')
        entry = by_path[path]
        entry.mode = entry.mode if mode is None else int(mode, 8)
        for owner in ('uid', 'gid'):
            number = attribute.get(owner, 0)
            if type(number) is not int or not 0 <= number < 2**32 - 1:
                fail(f'attributes.json gives {path} the {owner} {json.dumps(number)}, which is not an id')
            setattr(entry, owner, number)


class Hashes:
    """SHA-256 of files. One inode is read once: equal files of a store are links to each other."""

    def __init__(self):
        self.known = {}

    def of(self, entry):
        found = self.known.get(entry.inode)
        if found is None:
            with open(entry.source, 'rb') as file:
                found = self.known[entry.inode] = hashlib.file_digest(file, 'sha256').hexdigest()
        return found


def digest_of(entries, given):
    """Changes with every byte, name, owner and mode, and with what the partition is asked to be."""
    hashes, whole = Hashes(), hashlib.sha256(json.dumps(given, sort_keys=True).encode())
    for entry in entries:
        content = hashes.of(entry) if entry.kind == 'file' else entry.target
        line = [entry.path, entry.kind, entry.mode, entry.uid, entry.gid, content]
        whole.update(json.dumps(line).encode() + b'\n')
    return whole.digest()


def uuid_of(digest, purpose):
    """A UUID of version 8 (RFC 9562): its bits are those of a hash."""
    bits = bytearray(hashlib.sha256(purpose.encode() + digest).digest()[:16])
    bits[6] = bits[6] & 0x0F | 0x80
    bits[8] = bits[8] & 0x3F | 0x80
    return '-'.join(bits[start:end].hex() for start, end in ((0, 4), (4, 6), (6, 8), (8, 10), (10, 16)))


def with_slack(needed, slack):
    return needed + (slack['bytes'] if 'bytes' in slack else needed * slack['percent'] // 100)


def round_up(number, unit):
    return -(-number // unit) * unit


def write_json(path, value):
    with open(path, 'w') as file:
        json.dump(value, file, indent=1, ensure_ascii=False)
        file.write('\n')


def read_json(path):
    with open(path) as file:
        return json.load(file)
