# A program that names an interpreter of many bytes is told as what it is, or refused: nothing is written behind the stack.

import struct, subprocess
from in_root import command, environment, expect

for length in [16, 127, 128, 129, 500, 2047, 2048, 4000, 8192, 60000]:
    name = b'/' + b'i' * (length - 2) + b'\0'
    header = struct.pack('<16sHHIQQQIHHHHHH', b'\x7fELF\2\1\1', 3, 62, 1, 0, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    segment = struct.pack('<IIQQQQQQ', 3, 4, 120, 0, 0, length, length, 1)
    with open('program', 'wb') as file:
        file.write(header + segment + name)
    told = subprocess.run(
        command('/usr/bin/file', '--magic-file', '/root/usr/share/misc/magic', '--brief', 'program'),
        env=environment(),
        capture_output=True,
        text=True,
    )
    expect(
        told.stdout.startswith('ELF 64-bit') if length < 1000 else told.returncode in (0, 1),
        f'of {length} bytes: {told.returncode} {told.stdout!r} {told.stderr!r}',
    )
