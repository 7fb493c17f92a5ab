// Text of the Python program that joins the parts of a disk to one file, with holes where they have nothing to say.

export const diskProgram = String.raw`
import os

from blocks import *
from tree import *


def main():
    layout = read_json('/parts/layout.json')
    path = f"{os.environ['out']}/{layout['image']}.img"
    os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644), layout['sizeBytes'])
    ranges = []
    with open(path, 'r+b', buffering=0) as disk:
        for part in layout['parts']:
            offset = part['offsetBytes']
            for first, last, chksum in copy('/parts/' + part['file'], disk, offset):
                ranges.append((first + offset // BLOCK, last + offset // BLOCK, chksum))
    write_block_map(path, ranges, path.removesuffix('.img') + '.bmap')


def copy(path, disk, offset):
    ranges = read_block_map(path + '.bmap')
    size = os.path.getsize(path)
    with open(path, 'rb', buffering=0) as source:
        for first, last, _ in ranges:
            disk.seek(offset + first * BLOCK)
            for chunk in chunks(source, first, last, size):
                disk.write(chunk)
    return ranges


main()
`;
