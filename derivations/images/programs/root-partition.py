
import os, re, subprocess, sys, tarfile
from collections import Counter

from blocks import *
from tree import *

GROUP = 8 * BLOCK  # blocks that one bitmap describes
MIB = 1 << 20
# More have no number in ext4 that its checker takes from mke2fs; "." and ".." are two of them.
MOST_LINKS = 65000
# Room for group descriptors is kept for growing to this size without moving anything.
LARGEST_BLOCKS = (256 << 30) // BLOCK
# Kept for root when people, and programs of theirs, have filled the disk. The kernel counts in whole percent, rounded down,
# when a file system grows: of two there is one left on a card.
RESERVED_PERCENT = 2


def main():
    given = read_json('/given/partition.json')
    entries = list(walk('/content'))
    apply_attributes(entries, read_json('/attributes/attributes.json'))
    check_folders(given, entries)
    digest = digest_of(entries, given)
    size, inodes, journal = plan(entries, given)
    path = f"{os.environ['out']}/{given['role']}.part"
    uuid = uuid_of(digest, 'file system')
    make(path, size, inodes, journal, given['label'], uuid, uuid_of(digest, 'hash seed'), entries)
    check(path)
    free = free_blocks(path)
    write_block_map(path, hashed_ranges(path, set(range(size // BLOCK)) - free))
    write_json(os.environ['out'] + '/facts.json', {
        'role': given['role'], 'fileSystem': 'ext4', 'label': given['label'], 'uuid': uuid,
        'sizeBytes': size, 'usedBytes': size - len(free) * BLOCK,
    })


def check_folders(given, entries):
    # mke2fs makes one itself, at the top.
    folders = {entry.path for entry in entries if entry.kind == 'folder'} | {'lost+found'}
    for path, count in Counter(path.rpartition('/')[0] for path in sorted(folders)).items():
        if count + 2 > MOST_LINKS:
            fail(f'{path or "the top"} of the {given["role"]} partition has {count:,} folders in it; a folder of ext4 has '
                 f'at most {MOST_LINKS - 2:,}, so spread them over several')


def plan(entries, given):
    """Size in bytes, number of inodes, size of the journal in MiB."""
    content = content_blocks(entries) * BLOCK
    journal = 4 if content < 96 * MIB else 16
    wanted = max(with_slack(content, given['slack']), content)
    size = minimum = round_up(max(given['minimumBytes'], 16 * MIB), MIB)
    while True:
        # A sixth more inodes than there are files, and no fewer than one for 16 KiB.
        inodes = max(size // 16384, (len(entries) + 16) * 7 // 6)
        enough = round_up(wanted + journal * MIB + metadata_blocks(size // BLOCK, inodes) * BLOCK, MIB)
        if enough <= size:
            return size, inodes, journal
        size = max(minimum, enough)


def content_blocks(entries):
    # lost+found has four, and the root folder itself at least one; a few for files in many pieces.
    total = 4 + 1 + 32
    names = {}
    for entry in entries:
        folder, _, name = entry.path.rpartition('/')
        names.setdefault(folder, []).append(len(os.fsencode(name)))
        if entry.kind == 'file':
            total += -(-entry.size // BLOCK) + entry.size // (GROUP * BLOCK)
        elif entry.kind == 'symlink' and len(os.fsencode(entry.target)) > 59:
            total += 1
        elif entry.kind == 'folder':
            names.setdefault(entry.path, [])
    return total + sum(folder_blocks(lengths) for lengths in names.values())


def folder_blocks(lengths):
    blocks, left = 1, BLOCK - 12 - 24  # less the checksum, and the entries of "." and ".."
    for length in lengths:
        room = round_up(8 + length, 4)
        if room > left:
            blocks, left = blocks + 1, BLOCK - 12
        left -= room
    return blocks


def metadata_blocks(blocks, inodes):
    groups = -(-blocks // GROUP)
    tables = groups * -(-round_up(-(-inodes // groups), 16) * 256 // BLOCK)
    descriptors = max(-(-groups * 64 // BLOCK), -(-LARGEST_BLOCKS // GROUP) * 64 // BLOCK)
    copies = sum(1 for group in range(groups) if has_superblock(group))
    return tables + 2 * groups + copies * (1 + descriptors) + 4


def has_superblock(group):
    if group < 2:
        return True
    return any(group in [base**power for power in range(1, 20)] for base in (3, 5, 7))


def make(path, size, inodes, journal, label, uuid, hash_seed, entries):
    os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644), size)
    options = f'hash_seed={hash_seed},lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0,nodiscard'
    options += f',resize={max(LARGEST_BLOCKS, size // BLOCK + 1)}'
    command = ['mke2fs', '-q', '-t', 'ext4', '-b', str(BLOCK), '-I', '256', '-N', str(inodes), '-m', str(RESERVED_PERCENT), '-L', label]
    command += ['-U', uuid, '-E', options, '-J', f'size={journal}', '-d', '-', path]
    configured = {**os.environ, 'MKE2FS_CONFIG': '/given/mke2fs.conf'}
    maker = subprocess.Popen(command, stdin=subprocess.PIPE, pipesize=MIB, bufsize=0, env=configured)
    try:
        with maker.stdin as archive:
            for entry in entries:
                add(archive, entry)
            archive.write(bytes(2 * tarfile.BLOCKSIZE))
    except BrokenPipeError:
        pass
    if maker.wait() != 0:
        fail(f'mke2fs could not make a file system of {size:,} bytes')


def add(archive, entry):
    member = tarfile.TarInfo(entry.path)
    member.type = {'file': tarfile.REGTYPE, 'folder': tarfile.DIRTYPE, 'symlink': tarfile.SYMTYPE}[entry.kind]
    member.mode, member.uid, member.gid, member.size = entry.mode, entry.uid, entry.gid, entry.size
    member.mtime = int(os.environ['SOURCE_DATE_EPOCH'])
    if entry.kind == 'symlink':
        member.linkname = entry.target
    archive.write(member.tobuf(tarfile.GNU_FORMAT, 'utf-8', 'surrogateescape'))
    if entry.size > 0:
        with open(entry.source, 'rb') as file:
            send(archive, file, entry.size)
        archive.write(bytes(-entry.size % tarfile.BLOCKSIZE))


def send(archive, file, size):
    """The kernel moves the bytes; they do not pass through here."""
    sent = 0
    while sent < size:
        sent += os.sendfile(archive.fileno(), file.fileno(), sent, size - sent)


def check(path):
    checked = subprocess.run(['e2fsck', '-f', '-n', path], capture_output=True, text=True)
    if checked.returncode != 0:
        fail('the file system is not clean:\n' + checked.stdout + checked.stderr)


def free_blocks(path):
    text = subprocess.run(['dumpe2fs', path], capture_output=True, text=True, check=True).stdout
    free = set()
    for line in re.findall(r'^  Free blocks: (\d.*)$', text, re.MULTILINE):
        for part in line.split(', '):
            first, _, last = part.partition('-')
            free.update(range(int(first), int(last or first) + 1))
    return free


main()
