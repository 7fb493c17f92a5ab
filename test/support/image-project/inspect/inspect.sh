# Looks at an image with the tools of its file systems. What it writes to a card is checked, not the image itself: a card
# that was full of something else before. Fails at the first thing that is wrong; leaves facts in $out.
set -eu
export MTOOLSRC=/dev/null
disk=$name.img
cd /image

echo "checksums"
sha256sum --check --strict --quiet SHA256SUMS
for file in *; do
    case $file in SHA256SUMS | run.json) ;; *) grep -q "  $file\$" SHA256SUMS ;; esac
done
zstd --quiet --decompress --stdout "$disk.zst" | cmp - "$disk"
# Who writes cards believes what the first frame says of itself, so there is one, and it says how large the whole disk is.
zstd --list --verbose "$disk.zst" >/build/list
grep -q "^# Zstandard Frames: 1$" /build/list
grep -q "^Decompressed Size:.* ($(stat -c %s "$disk") B)$" /build/list

echo "card"
cd /build
tr '\0' '\356' </dev/zero | head -c "$(stat -c %s "/image/$disk")" >card
sed -n 's/.*<Range [^>]*> \([0-9]*\)-\{0,1\}\([0-9]*\) <.*/\1 \2/p' "/image/$name.bmap" >ranges
while read -r first last; do
    dd if="/image/$disk" of=card bs=4096 skip="$first" seek="$first" count=$((${last:-$first} - first + 1)) \
        conv=notrunc status=none
done <ranges

echo "table"
sfdisk --verify card >"$out/verify"
sfdisk --json card >"$out/table.json"
field() { sed -n "s/.*\"$1\": *\([0-9]*\),.*/\1/p" "$out/table.json" | sed -n "$2p"; }
dd if=card of=boot.part bs=512 skip="$(field start 1)" count="$(field size 1)" status=none
dd if=card of=root.part bs=512 skip="$(field start 2)" count="$(field size 2)" status=none

echo "file systems"
fsck.fat -n boot.part >"$out/fsck.fat"
fsck.ext4 -fn root.part >"$out/fsck.ext4" 2>&1
mdir -i boot.part :: | sed -n 1,2p >"$out/boot"
dumpe2fs -h root.part >"$out/root" 2>/dev/null

echo "files"
mkdir boot-files root-files
mcopy -s -i boot.part '::*' boot-files
diff -r /boot boot-files
# Nobody but root exists here to give a file to: that is looked at below.
debugfs -R 'rdump / root-files' root.part 2>/dev/null
rmdir root-files/lost+found
diff -r --no-dereference /root root-files

echo "owners"
(cd /root && find . -type d -printf '%P\n' | LC_ALL=C sort) | while read -r folder; do
    debugfs -R "ls -p \"/$folder\"" root.part 2>/dev/null | while IFS=/ read -r _ _ mode uid gid name _; do
        case $name in '' | . | ..) ;; *) echo "$mode $uid $gid ${folder:+$folder/}$name" ;; esac
    done
done >"$out/owners"
