
import os, re, struct, subprocess

from blocks import *
from tree import *

SECTOR = 512
MIB = 1 << 20
LARGEST_FILE = 2**32 - 1
RESERVED_SECTORS = 32
# With fewer, it would be a fat16 by definition.
FEWEST_CLUSTERS = 65525


def main():
    given = read_json('/given/partition.json')
    entries = list(walk('/content'))
    for entry in entries:
        check_entry(given, entry)
    check_names(given, entries)
    identity = digest_of(entries, given)
    serial = identity[:4].hex().upper()
    size, cluster = plan(entries, given)
    path = f"{os.environ['out']}/{given['role']}.part"
    make(path, size, cluster, serial, given)
    copy(path, entries)
    check(path)
    check_listing(path, entries, given)
    blocks, used = used_blocks(path)
    write_block_map(path, hashed_ranges(path, blocks))
    write_json(os.environ['out'] + '/facts.json', {
        'role': given['role'], 'fileSystem': 'fat32', 'label': given['label'], 'uuid': serial[:4] + '-' + serial[4:],
        'sizeBytes': size, 'usedBytes': used,
    })


def check_entry(given, entry):
    where = f'{entry.path} of the {given["role"]} partition'
    name = entry.path.rpartition('/')[2]
    if entry.kind == 'symlink':
        fail(f'{where} is a symlink, which fat32 cannot hold; put the file itself there')
    if entry.size > LARGEST_FILE:
        fail(f'{where} has {entry.size:,} bytes; a file in fat32 has at most {LARGEST_FILE:,}')
    if re.search(r'[\x00-\x1f"*:<>?\\|\x7f]', name) or name != name.rstrip('. ') or len(name) > 255:
        fail(f'{where} has a name that fat32 cannot hold')


def check_names(given, entries):
    seen = {}
    for entry in entries:
        first = seen.setdefault(entry.path.lower(), entry.path)
        if first != entry.path:
            fail(f'{first} and {entry.path} of the {given["role"]} partition are one name in fat32')


def plan(entries, given):
    """Size of the partition and of a cluster in bytes: small clusters for small partitions, as Windows would do."""
    size = round_up(max(given['minimumBytes'], MIB), MIB)
    while True:
        sectors = 1 if size <= 64 * MIB else 2 if size <= 128 * MIB else 4 if size <= 256 * MIB else 8
        cluster = sectors * SECTOR
        content = content_clusters(entries, cluster) * cluster
        clusters = max(-(-with_slack(content, given['slack']) // cluster), FEWEST_CLUSTERS + 16)
        tables = 2 * -(-(clusters + 2) * 4 // SECTOR)
        enough = round_up((RESERVED_SECTORS + tables) * SECTOR + clusters * cluster, MIB)
        if enough <= size:
            return size, cluster
        size = enough


def content_clusters(entries, cluster):
    # Entries of 32 bytes: one for the short name, one for each 13 letters of the long one, "." and ".."; the label.
    folders = {'': 1}
    total = 0
    for entry in entries:
        folder, _, name = entry.path.rpartition('/')
        folders[folder] += 1 + -(-len(name) // 13)
        if entry.kind == 'folder':
            folders[entry.path] = 2
        total += -(-entry.size // cluster)
    return total + sum(-(-rows * 32 // cluster) for rows in folders.values())


def make(path, size, cluster, serial, given):
    os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644), size)
    run('mkfs.fat', '--invariant', '-F', '32', '-i', serial, '-n', given['label'], '-S', str(SECTOR),
        '-s', str(cluster // SECTOR), '-R', str(RESERVED_SECTORS), '-f', '2', '-a', '-h', '8192', path)


def copy(path, entries):
    folders = [entry.path for entry in entries if entry.kind == 'folder']
    for folder in folders:
        run('mmd', '-i', path, '::' + folder)
    for folder in ['', *folders]:
        files = [entry.source for entry in entries if entry.kind == 'file' and entry.path.rpartition('/')[0] == folder]
        if files:
            run('mcopy', '-i', path, *files, '::' + folder + '/')


def check(path):
    checked = subprocess.run(['fsck.fat', '-n', path], capture_output=True, text=True)
    if checked.returncode != 0:
        fail('the file system is not clean:\n' + checked.stdout + checked.stderr)


def check_listing(path, entries, given):
    """Not every letter can be written, and small ones of other alphabets may come back as capitals."""
    listing = run('mdir', '-/', '-b', '-i', path, '::').stdout.splitlines()
    listed = {line.removeprefix('::/').removesuffix('/') for line in listing}
    for entry in entries:
        if entry.path not in listed:
            fail(f'{entry.path} of the {given["role"]} partition has a name that reads back as another; '
                 'use the letters of ASCII')


def used_blocks(path):
    """Blocks with reserved sectors, tables or clusters in use; and the bytes of these."""
    with open(path, 'rb') as file:
        start = file.read(SECTOR)
        sectors, reserved, tables = start[13], *struct.unpack('<HB', start[14:17])
        all_sectors, = struct.unpack('<I', start[32:36])
        table_sectors, = struct.unpack('<I', start[36:40])
        first = reserved + tables * table_sectors
        file.seek(reserved * SECTOR)
        table = struct.unpack(f'<{table_sectors * SECTOR // 4}I', file.read(table_sectors * SECTOR))
    clusters = (all_sectors - first) // sectors
    in_use = [number for number in range(clusters) if table[number + 2] & 0x0FFFFFFF]
    blocks = set(range(round_up(first * SECTOR, BLOCK) // BLOCK))
    for number in in_use:
        at = (first + number * sectors) * SECTOR
        blocks.update(range(at // BLOCK, (at + sectors * SECTOR - 1) // BLOCK + 1))
    return blocks, (first + len(in_use) * sectors) * SECTOR


def run(*command):
    made = subprocess.run(command, capture_output=True, text=True, env={**os.environ, 'MTOOLSRC': '/dev/null'})
    if made.returncode != 0:
        fail(f'{command[0]} failed: {(made.stderr or made.stdout).strip()}')
    return made


main()
