
import os, subprocess

from blocks import *
from budget import *
from tree import *

SECTOR = 512
MIB = 1 << 20
# What memory cards like to erase at once.
ALIGNMENT = 4 * MIB


def main():
    given = read_json('/given/disk.json')
    placed, size = place(given)
    if given['budgetBytes'] is not None:
        check_budget(given['name'], given['budgetBytes'], placed)
    disk = 'disk'
    os.truncate(os.open(disk, os.O_CREAT | os.O_WRONLY, 0o644), size)
    run('sfdisk', '--quiet', '--no-reread', '--no-tell-kernel', disk, text=table_of(given, placed))
    run('sfdisk', '--verify', disk)
    parts = [part(disk, 'table', 0, 1 if given['table'] == 'mbr' else -(-34 * SECTOR // BLOCK))]
    parts += [{'file': partition['role'] + '.part', 'offsetBytes': partition['offsetBytes']} for partition in placed]
    if given['table'] == 'gpt':
        first = (size - 33 * SECTOR) // BLOCK
        parts.append(part(disk, 'table-copy', first, size // BLOCK - first))
    write_json(os.environ['out'] + '/layout.json', {
        'image': given['name'], 'table': given['table'], 'sizeBytes': size, 'parts': parts, 'partitions': placed,
    })


def place(given):
    """Where each partition starts and how long it is, in bytes; the size of the disk."""
    placed, at = [], ALIGNMENT
    for partition in given['partitions']:
        facts = read_json(f'/facts/{partition["role"]}.json')
        placed.append({
            **facts, 'type': partition['type'], 'partitionUuid': partition['uuid'], 'offsetBytes': at,
            'growsAtFirstBoot': partition['growsAtFirstBoot'],
        })
        at = round_up(at + facts['sizeBytes'], ALIGNMENT)
    end = placed[-1]['offsetBytes'] + placed[-1]['sizeBytes']
    return placed, end if given['table'] == 'mbr' else end + MIB


def table_of(given, placed):
    """What sfdisk reads."""
    lines = ['label: ' + {'mbr': 'dos', 'gpt': 'gpt'}[given['table']], 'label-id: ' + given['id'], 'unit: sectors']
    for partition in placed:
        fields = [f'start={partition["offsetBytes"] // SECTOR}', f'size={partition["sizeBytes"] // SECTOR}']
        fields.append('type=' + partition['type'])
        if given['table'] == 'gpt':
            fields += ['uuid=' + partition['partitionUuid'], f'name="{partition["role"]}"']
        elif partition['role'] == 'boot':
            fields.append('bootable')
        lines.append(', '.join(fields))
    return '\n'.join(lines) + '\n'


def run(*command, text=''):
    made = subprocess.run(command, input=text, capture_output=True, text=True)
    if made.returncode != 0:
        fail(f'{" ".join(command[:2])} failed: {(made.stderr or made.stdout).strip()}')


def part(disk, name, first, count):
    """Takes blocks out of the disk as a file."""
    path = f"{os.environ['out']}/{name}.part"
    with open(disk, 'rb') as source, open(path, 'wb') as file:
        source.seek(first * BLOCK)
        file.write(source.read(count * BLOCK))
    write_block_map(path, hashed_ranges(path, range(count)))
    return {'file': name + '.part', 'offsetBytes': first * BLOCK}


main()
