
import hashlib, os, re

BLOCK = 4096
CHUNK = 1 << 20


def hashed_ranges(path, blocks):
    """Ranges (first, last, SHA-256) of a file's blocks."""
    size = os.path.getsize(path)
    with open(path, 'rb', buffering=0) as file:
        return [(first, last, hash_of(file, first, last, size)) for first, last in consecutive(sorted(blocks))]


def consecutive(numbers):
    ranges = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges


def hash_of(file, first, last, size):
    hashed = hashlib.sha256()
    for chunk in chunks(file, first, last, size):
        hashed.update(chunk)
    return hashed.hexdigest()


def chunks(file, first, last, size):
    """What is in blocks of a file, the last of which may be cut."""
    file.seek(first * BLOCK)
    left = min((last + 1) * BLOCK, size) - first * BLOCK
    while left > 0:
        chunk = file.read(min(left, CHUNK))
        left -= len(chunk)
        yield chunk


def write_block_map(path, ranges, map_path=None):
    size = os.path.getsize(path)
    lines = [f'    <Range chksum="{chksum}"> {first if first == last else f"{first}-{last}"} </Range>\n'
             for first, last, chksum in ranges]
    text = f"""<?xml version="1.0" ?>
<bmap version="2.0">
  <ImageSize> {size} </ImageSize>
  <BlockSize> {BLOCK} </BlockSize>
  <BlocksCount> {-(-size // BLOCK)} </BlocksCount>
  <MappedBlocksCount> {sum(last - first + 1 for first, last, _ in ranges)} </MappedBlocksCount>
  <ChecksumType> sha256 </ChecksumType>
  <BmapFileChecksum> {'0' * 64} </BmapFileChecksum>
  <BlockMap>
{''.join(lines)}  </BlockMap>
</bmap>
"""
    # The checksum is that of the file with zeros in its place.
    text = text.replace('0' * 64, hashlib.sha256(text.encode()).hexdigest(), 1)
    with open(map_path or path + '.bmap', 'w') as file:
        file.write(text)


def read_block_map(path):
    """The ranges of a map that was written above."""
    with open(path) as file:
        found = re.findall(r'<Range chksum="(\w+)"> (\d+)(?:-(\d+))? </Range>', file.read())
    return [(int(first), int(last or first), chksum) for chksum, first, last in found]
