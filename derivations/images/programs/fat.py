
import os, struct, time

from fat_names import *

SECTOR = 512
ROW = 32
END_OF_CHAIN = 0x0FFFFFFF
FOLDER, FILE = 0x10, 0x20
MOST_ROWS = 65536
FIRST_CLUSTER = 2


class Folder:
    """What a folder of the file system has in it: entries with their short names, in order."""

    def __init__(self, path, children):
        self.path = path
        self.shorts = short_names([name_of(entry) for entry in children])
        self.children = children
        # The root has the label of the file system, any other folder "." and "..".
        rows = sum(rows_for(name, short) for name, short in self.shorts.items())
        self.rows = rows + (2 if path else 1)


def name_of(entry):
    return entry.path.rpartition('/')[2]


def folders_of(entries):
    """All folders by path, the root ('') first."""
    children = {'': []}
    for entry in entries:
        children[entry.path.rpartition('/')[0]].append(entry)
        if entry.kind == 'folder':
            children[entry.path] = []
    return {path: Folder(path, below) for path, below in children.items()}


class Clusters:
    """Where everything lies: folders first, each thing in one piece."""

    def __init__(self, folders, entries, cluster):
        self.first, self.counts, self.next = {}, [], FIRST_CLUSTER
        for folder in folders.values():
            self.place(folder.path, -(-folder.rows * ROW // cluster))
        for entry in entries:
            if entry.kind == 'file':
                self.place(entry.path, -(-entry.size // cluster))

    def place(self, path, count):
        self.first[path] = self.next if count > 0 else 0
        if count > 0:
            self.counts.append(count)
        self.next += count

    @property
    def total(self):
        return self.next - FIRST_CLUSTER

    def table(self):
        """What the file allocation table says of the clusters in use."""
        links = []
        for count in self.counts:
            start = FIRST_CLUSTER + len(links)
            links.extend(range(start + 1, start + count))
            links.append(END_OF_CHAIN)
        return struct.pack(f'<{len(links)}I', *links)


def fill(path, folders, entries, cluster):
    """Writes folders and files into an empty fat32 file system, where nothing is but its root."""
    clusters = Clusters(folders, entries, cluster)
    with open(path, 'r+b', buffering=0) as disk:
        start = disk.read(SECTOR)
        reserved, tables = struct.unpack_from('<HB', start, 14)
        table_sectors, = struct.unpack_from('<I', start, 36)
        information, backup = struct.unpack_from('<HH', start, 48)
        content = (reserved + tables * table_sectors) * SECTOR
        stamp = stamp_of(int(os.environ['SOURCE_DATE_EPOCH']))

        def seek(first):
            disk.seek(content + (first - FIRST_CLUSTER) * cluster)

        for number in range(tables):
            disk.seek((reserved + number * table_sectors) * SECTOR + FIRST_CLUSTER * 4)
            disk.write(clusters.table())
        count_clusters(disk, (information, backup + information), clusters.total)
        seek(clusters.first[''])
        # "NO NAME" is the label of a file system that has none.
        label = disk.read(ROW)
        label = label if label[0] else b''
        for folder in folders.values():
            seek(clusters.first[folder.path])
            disk.write(label if folder.path == '' else dots(folder.path, clusters, stamp))
            disk.write(b''.join(rows_of(entry, folder, clusters, stamp) for entry in folder.children))
        for entry in entries:
            if entry.kind == 'file' and entry.size > 0:
                seek(clusters.first[entry.path])
                copy(entry, disk)


def count_clusters(disk, sectors, used):
    """In the sector beside the start of the file system, and in the copy of it: how many are free, and the last in use."""
    for sector in sectors:
        disk.seek(sector * SECTOR + 488)
        free, _ = struct.unpack('<II', disk.read(8))
        disk.seek(sector * SECTOR + 488)
        # The empty root had one.
        disk.write(struct.pack('<II', free + 1 - used, FIRST_CLUSTER + used - 1))


def rows_of(entry, folder, clusters, stamp):
    name = name_of(entry)
    short = padded(folder.shorts[name])
    own = row(short, FOLDER if entry.kind == 'folder' else FILE, clusters.first[entry.path], entry.size, stamp)
    return own if name == folder.shorts[name] else long_rows(name, short) + own


def dots(path, clusters, stamp):
    above = path.rpartition('/')[0]
    # For the root, ".." says 0.
    parent = clusters.first[above] if above else 0
    rows = ((b'.', clusters.first[path]), (b'..', parent))
    return b''.join(row(name.ljust(11), FOLDER, first, 0, stamp) for name, first in rows)


def row(short, attributes, first, size, stamp):
    day, clock = stamp
    return struct.pack('<11sBBBHHHHHHHI', short, attributes, 0, 0, clock, day, day, first >> 16, clock, day,
                       first & 0xFFFF, size)


def stamp_of(seconds):
    """Date and time as FAT has them, which knows the years 1980 to 2107."""
    year, month, day, hour, minute, second, *_ = time.gmtime(min(max(seconds, 315532800), 4354819198))
    return (year - 1980) << 9 | month << 5 | day, hour << 11 | minute << 5 | second // 2


def copy(entry, disk):
    with open(entry.source, 'rb') as file:
        sent = 0
        while sent < entry.size:
            sent += os.sendfile(disk.fileno(), file.fileno(), sent, entry.size - sent)
