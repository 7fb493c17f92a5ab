# The commands by which objects of the kernel and its modules came about, of those alone that are in it: a kept folder may
# have others. Where an object was copied from another (a.stub.o, a.pi.o), the other's.
commands_of_objects() {
  local archives=(vmlinux.a lib/lib.a arch/*/lib/lib.a) archive object folder name
  if grep -q '^CONFIG_EFI_STUB=y' include/config/auto.conf; then archives+=(drivers/firmware/efi/libstub/lib.a); fi
  {
    for archive in "${archives[@]}"; do
      if [ -e "$archive" ]; then "${CROSS_COMPILE}ar" t "$archive"; fi
    done
    sed 's/o$/mod/' modules.order | xargs -r cat
  } | sed 's/\.\(stub\|pi\)\.o$/.o/' | sort -u | while read -r object; do
    folder=${object%/*}
    name=${object##*/}
    if [ -e "$folder/.$name.cmd" ]; then echo "$folder/.$name.cmd"; fi
  done | xargs -r awk '/^savedcmd_[^ ]*\.o := .* -c -o / { print } { nextfile }'
}

cp "$file" "$image/kernel"
chmod 644 "$image/kernel"
install_modules "$modules"
cp System.map "$symbols/"
# In one order, since a kept folder may have another than a new one.
sort Module.symvers >"$symbols/Module.symvers"
commands_of_objects >"$commands/commands"
touch .complete
