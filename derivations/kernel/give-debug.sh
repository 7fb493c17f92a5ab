# What is compiled is compiled with records, and is the kernel's but for them only if all else comes out the same.
same() {
  cmp "$1" "$2" && return
  echo "$3 is another one when it is compiled with records for debuggers" >&2
  exit 1
}
without_records() {
  "${CROSS_COMPILE}objcopy" --strip-debug "$1" "$2"
}
same System.map /symbols/System.map 'the list of symbols'
same "$file" /image/kernel 'the kernel'
install_modules "$out"
(cd "$out" && find . -name '*.ko') | while read -r module; do
  without_records "/modules/$module" .shipped
  without_records "$out/$module" .compiled
  same .compiled .shipped "$module"
done
cp vmlinux System.map "$out/"
kmake scripts_gdb
cp --dereference --recursive --parents vmlinux-gdb.py scripts/gdb "$out/"
find "$out" -name '.*' -delete
touch .complete
