# Make writes beside the sources. Whatever order files have there, names are looked up in the kernel's list first.
cp --recursive --no-preserve=mode --dereference /module module
kmodule() { make -C /kernel M="$PWD/module" "$@"; }
kmodule modules
if [ ! -s module/modules.order ]; then
  echo 'nothing is compiled as a module: a file Kbuild or Makefile has to say obj-m := NAME.o' >&2
  exit 1
fi
kmodule DEPMOD=true INSTALL_MOD_PATH="$out/usr" modules_install
# Lists of all modules are made where all modules are known.
find "$out"/usr/lib/modules/* -maxdepth 1 -name 'modules.*' -delete
rm -f "$out"/usr/lib/modules/*/{build,source}
