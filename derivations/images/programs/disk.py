
import hashlib, os

from blocks import *
from tree import *


def main():
    layout = read_json('/parts/layout.json')
    name = layout['image'] + '.img'
    path = f"{os.environ['out']}/{name}"
    ranges = []
    with HashedFile(path) as disk:
        for part in layout['parts']:
            offset = part['offsetBytes']
            for first, last, chksum in copy('/parts/' + part['file'], disk, offset):
                ranges.append((first + offset // BLOCK, last + offset // BLOCK, chksum))
        disk.skip_to(layout['sizeBytes'])
    write_block_map(path, ranges, path.removesuffix('.img') + '.bmap')
    with open(os.environ['sums'] + '/sums', 'w') as file:
        file.write(f'{disk.hashed.hexdigest()}  {name}\n')


def copy(path, disk, offset):
    ranges = read_block_map(path + '.bmap')
    size = os.path.getsize(path)
    with open(path, 'rb', buffering=0) as source:
        for first, last, _ in ranges:
            disk.skip_to(offset + first * BLOCK)
            for chunk in chunks(source, first, last, size):
                disk.write(chunk)
    return ranges


class HashedFile:
    """A file written from its start to its end, with holes, and the SHA-256 of it all."""

    ZEROS = bytes(CHUNK)

    def __init__(self, path):
        self.hashed = hashlib.sha256()
        self.file = open(path, 'wb', buffering=0)
        self.at = 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.truncate(self.at)
        self.file.close()

    def write(self, chunk):
        self.hashed.update(chunk)
        self.file.write(chunk)
        self.at += len(chunk)

    def skip_to(self, at):
        while self.at < at:
            size = min(at - self.at, CHUNK)
            self.hashed.update(self.ZEROS[:size])
            self.at += size
        self.file.seek(at)


main()
