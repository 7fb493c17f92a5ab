
import os, shutil, subprocess

from tree import *


def main():
    level = read_json('/given/zstd.json')['level']
    layout = read_json('/layout/layout.json')
    with open(f"{os.environ['out']}/{layout['image']}.img.zst", 'wb') as file:
        at = 0
        for number, partition in enumerate(layout['partitions']):
            file.write(compressed(around(layout, at, partition['offsetBytes']), level))
            with open(f'/partitions/{number}/{partition["role"]}.part.zst', 'rb') as made:
                shutil.copyfileobj(made, file, 1 << 20)
            at = partition['offsetBytes'] + partition['sizeBytes']
        file.write(compressed(around(layout, at, layout['sizeBytes']), level))


def around(layout, start, end):
    """What is on the disk from byte start to byte end, where there is no partition."""
    content = bytearray(end - start)
    for part in layout['parts']:
        if start <= part['offsetBytes'] < end:
            with open('/layout/' + part['file'], 'rb') as file:
                table = file.read()
            at = part['offsetBytes'] - start
            content[at:at + len(table)] = table
    return content


def compressed(content, level):
    if not content:
        return b''
    # Each frame says how long its content is, as zstd does by itself for a file: who writes images onto cards asks for that.
    command = ['zstd', '-q', '-' + level, f'--stream-size={len(content)}', '-c']
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout


main()
