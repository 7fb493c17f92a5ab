
import hashlib, os, re

from tree import *


def main():
    given = read_json('/given/contents.json')
    hashes = Hashes()
    owners, components = Owners(), []
    for at, component in enumerate(given['components']):
        top = f'/components/{at}'
        for entry in walk(top):
            if entry.kind != 'folder':
                owners.add(component['name'], entry, hashes)
        digest = tree_digest(top, hashes)
        components.append({'name': component['name'], 'digest': digest, 'sizeBytes': 0, 'files': 0})
    by_name = {component['name']: component for component in components}
    files = []
    for partition in given['partitions']:
        entries = list(walk('/content/' + partition['role']))
        attributes = f'/attributes/{partition["role"]}/attributes.json'
        has_modes = os.path.exists(attributes)
        if has_modes:
            apply_attributes(entries, read_json(attributes))
        for entry in entries:
            if entry.kind == 'folder':
                continue
            name = owners.of(entry, hashes) or given['otherwise']
            files.append({
                'path': partition['prefix'] + entry.path, 'sizeBytes': entry.size, 'component': name,
                **({'sha256': hashes.of(entry)} if entry.kind == 'file' else {'target': entry.target}),
                **({'mode': f'{entry.mode:04o}'} if has_modes else {}),
                **{owner: getattr(entry, owner) for owner in ('uid', 'gid') if getattr(entry, owner) != 0},
            })
            component = by_name.setdefault(name, {'name': name, 'sizeBytes': 0, 'files': 0})
            component['sizeBytes'] += entry.size
            component['files'] += 1
    write_json(os.environ['out'] + '/files.json', sorted(files, key=lambda file: file['path'].encode()))
    write_json(os.environ['out'] + '/components.json', sorted(by_name.values(), key=lambda one: one['name'].encode()))


class Owners:
    """Which component a file came with: the one that has the same file, wherever; else the one that has its path."""

    def __init__(self):
        self.by_file, self.by_content, self.by_path = {}, {}, {}

    def add(self, name, entry, hashes):
        content = content_of(entry, hashes)
        self.by_file.setdefault((entry.path, content), name)
        self.by_path.setdefault(entry.path, name)
        if entry.kind == 'file' and entry.size > 0:
            self.by_content.setdefault(content, name)

    def of(self, entry, hashes):
        content = content_of(entry, hashes)
        found = self.by_file.get((entry.path, content)) or self.by_content.get(content) or self.by_path.get(entry.path)
        return found or self.by_path.get(python_source(entry.path))


def content_of(entry, hashes):
    return hashes.of(entry) if entry.kind == 'file' else '-> ' + entry.target


def python_source(path):
    """Compiled Python belongs to whom its source belongs."""
    return re.sub(r'__pycache__/([^/]+)\.cpython-\d+\.pyc$', r'\1.py', path)


def tree_digest(folder, hashes):
    """What cairn calls this tree: the digest of its Directory message of the Remote Execution API."""
    parts = {'file': [], 'folder': [], 'symlink': []}
    for name in sorted(os.listdir(folder), key=os.fsencode):
        source = os.path.join(folder, name)
        entry = Entry(name, source, os.lstat(source))
        if entry.kind == 'folder':
            digest, size = tree_digest(source, hashes).split('/')
            content = field(2, digest_message(digest, int(size)))
        elif entry.kind == 'file':
            content = field(2, digest_message(hashes.of(entry), entry.size)) + (b'\x20\x01' if entry.executable else b'')
        else:
            content = field(2, os.fsencode(entry.target)) if entry.target else b''
        parts[entry.kind].append(field(1, os.fsencode(name)) + content)
    message = b''.join(
        field(number, one) for number, kind in ((1, 'file'), (2, 'folder'), (3, 'symlink')) for one in parts[kind])
    return f'{hashlib.sha256(message).hexdigest()}/{len(message)}'


def digest_message(sha256, size):
    return field(1, sha256.encode()) + (b'\x10' + varint(size) if size else b'')


def field(number, content):
    return bytes([number * 8 + 2]) + varint(len(content)) + content


def varint(number):
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(encoded) + bytes([number])


main()
