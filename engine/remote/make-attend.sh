#!/bin/sh
# Makes attend.ts from attend.c, with any gcc for x86_64: to be run after attend.c has changed.
set -eu
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
# One piece, whose first byte is its first instruction and lies where engine/sandbox/machine-program.ts puts it.
cat >"$folder/one-piece" <<'END'
SECTIONS {
  .all 0x400078 : SUBALIGN(1) { *(.text.start) *(.text*) *(.rodata*) }
  /DISCARD/ : { *(.comment) *(.note*) }
}
END
gcc -Os -Wall -Wextra -ffreestanding -fno-pic -fno-tree-loop-distribute-patterns -fno-stack-protector -mno-red-zone \
  -mgeneral-regs-only -fcf-protection=none -fno-asynchronous-unwind-tables -static -nostdlib \
  -Wl,-T,"$folder/one-piece" -Wl,--build-id=none -o "$folder/attend" attend.c
test "$(nm "$folder/attend" | grep -c "^0*400078 T _start")" = 1
objcopy -O binary "$folder/attend" "$folder/instructions"
{
  cat <<END
// The program of attend.c, made of it by make-attend.sh. SHA-256 of what it was made of:
// $(sha256sum attend.c | cut -d ' ' -f 1)
END
  cat <<'END'

import { machineProgram } from '../sandbox/machine-program.ts';

const instructions =
END
  base64 -w 112 "$folder/instructions" | sed "s/.*/  '&' +/; \$ s/ +\$/;/"
  cat <<'END'

/** The program's bytes. */
export function attendProgram(): Buffer {
  return machineProgram(Buffer.from(instructions, 'base64'), Buffer.alloc(0));
}
END
} >attend.ts
