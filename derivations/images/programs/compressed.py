
import os, shutil, subprocess

from tree import *

MIB = 1 << 20


def main():
    given = read_json('/given/zstd.json')
    layout = read_json('/parts/layout.json')
    command = ['zstd', '-q', '-' + given['level'], '-T' + os.environ['CAIRN_JOBS']]
    command += [f'--stream-size={layout["sizeBytes"]}', '-o', f"{os.environ['out']}/{layout['image']}.img.zst"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, pipesize=MIB) as packer:
        at = 0
        for part in layout['parts']:
            write_zeros(packer.stdin, part['offsetBytes'] - at)
            with open('/parts/' + part['file'], 'rb') as file:
                shutil.copyfileobj(file, packer.stdin, MIB)
                at = part['offsetBytes'] + file.tell()
        write_zeros(packer.stdin, layout['sizeBytes'] - at)
    if packer.returncode != 0:
        fail('zstd could not compress the disk')


def write_zeros(file, count):
    zeros = bytes(MIB)
    while count > 0:
        count -= file.write(zeros[:min(count, MIB)])


main()
