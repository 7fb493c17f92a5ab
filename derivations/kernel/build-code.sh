cd objects
plan=all
if [ -n "${CAIRN_CHANGED:-}" ]; then
  plan=$(python3 /programs/plan-build.py "$CAIRN_CHANGED" /source)
  echo "asked for, since the last build: $plan"
fi
rm -f .complete

everything() {
  kmake "${file##*/}" modules
}
exports_of() {
  awk -F '\t' -v wanted=" $2 " 'index(wanted, " " $3 " ")' "$1" | sort
}
# Modules that need something of the kernel are made anew when it has become something else.
image_alone() {
  exports_of Module.symvers vmlinux >.exports
  kmake "${file##*/}"
  exports_of vmlinux.symvers vmlinux | cmp -s - .exports || everything
}
# Lists of all modules become lists of these alone: they are put back, and are right as long as none gives others something
# else. One that needs something of another module cannot be made alone.
modules_alone() {
  local names="${*%.ko}"
  cp -p modules.order .modules.order
  cp -p Module.symvers .Module.symvers
  exports_of Module.symvers "$names" >.exports
  if ! kmake "$@" || ! exports_of Module.symvers "$names" | cmp -s - .exports; then
    everything
    return
  fi
  mv .modules.order modules.order
  mv .Module.symvers Module.symvers
}
install_modules() {
  local key
  key=$({
    sed 's/o$/ko/' modules.order | xargs -r sha256sum
    find modules.builtin.ranges 2>/dev/null | xargs -r sha256sum
    sha256sum modules.order modules.builtin modules.builtin.modinfo include/config/kernel.release
  } | sha256sum)
  if [ "$key" != "$(cat .installed/key 2>/dev/null)" ]; then
    rm -rf .installed
    kmake modules_install INSTALL_MOD_PATH="$PWD/.installed/usr"
    rm -f .installed/usr/lib/modules/*/{build,source}
    echo "$key" >.installed/key
  fi
  cp -r .installed/usr "$1/"
}

if [ "$plan" = clean ]; then find . -mindepth 1 -delete; fi
take_configuration
case $plan in
  nothing) ;;
  image) image_alone ;;
  modules\ *) modules_alone ${plan#modules } ;;
  *) everything ;;
esac
