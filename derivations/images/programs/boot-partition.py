
import os, struct, subprocess

from blocks import *
from fat import *
from fat_names import *
from tree import *

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
    folders = folders_of(entries)
    for folder in folders.values():
        check_folder(given, folder)
    serial = digest_of(entries, given)[:4].hex().upper()
    size, cluster = plan(folders, entries, given)
    path = f"{os.environ['out']}/{given['role']}.part"
    make(path, size, cluster, serial, given)
    fill(path, folders, entries, cluster)
    check(path)
    blocks, used = used_blocks(path)
    write_block_map(path, hashed_ranges(path, blocks))
    write_json(os.environ['out'] + '/facts.json', {
        'role': given['role'], 'fileSystem': 'fat32', 'label': given['label'], 'uuid': serial[:4] + '-' + serial[4:],
        'sizeBytes': size, 'usedBytes': used,
    })


def check_entry(given, entry):
    where = f'{entry.path} of the {given["role"]} partition'
    if entry.kind == 'symlink':
        fail(f'{where} is a symlink, which fat32 cannot hold; put the file itself there')
    if entry.size > LARGEST_FILE:
        fail(f'{where} has {entry.size:,} bytes; a file in fat32 has at most {LARGEST_FILE:,}')
    fault = fault_of(name_of(entry))
    if fault:
        fail(f'{where} has {fault}')


def check_names(given, entries):
    seen = {}
    for entry in entries:
        first = seen.setdefault(folded(entry.path), entry.path)
        if first != entry.path:
            fail(f'{first} and {entry.path} of the {given["role"]} partition are one name in fat32')


def check_folder(given, folder):
    if folder.rows > MOST_ROWS:
        where = f'{folder.path or "the top"} of the {given["role"]} partition'
        fail(f'{where} has {len(folder.children):,} names, which take {folder.rows:,} rows of the {MOST_ROWS:,} that a '
             'folder of fat32 has; spread them over several folders')


def plan(folders, entries, given):
    """Size of the partition and of a cluster in bytes: small clusters for small partitions, as Windows would do."""
    size = round_up(max(given['minimumBytes'], MIB), MIB)
    while True:
        sectors = 1 if size <= 64 * MIB else 2 if size <= 128 * MIB else 4 if size <= 256 * MIB else 8
        cluster = sectors * SECTOR
        content = Clusters(folders, entries, cluster).total * cluster
        clusters = max(-(-with_slack(content, given['slack']) // cluster), FEWEST_CLUSTERS + 16)
        tables = 2 * -(-(clusters + 2) * 4 // SECTOR)
        enough = round_up((RESERVED_SECTORS + tables) * SECTOR + clusters * cluster, MIB)
        if enough <= size:
            return size, cluster
        size = enough


def make(path, size, cluster, serial, given):
    os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644), size)
    run('mkfs.fat', '--invariant', '-F', '32', '-i', serial, '-n', given['label'], '-S', str(SECTOR),
        '-s', str(cluster // SECTOR), '-R', str(RESERVED_SECTORS), '-f', '2', '-a', '-h', '8192', path)


def check(path):
    checked = subprocess.run(['fsck.fat', '-n', path], capture_output=True, text=True)
    if checked.returncode != 0:
        fail('the file system is not clean:\n' + checked.stdout + checked.stderr)


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
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode != 0:
        fail(f'{command[0]} failed: {(made.stderr or made.stdout).strip()}')
    return made


main()
