cp --recursive --no-preserve=mode /modules/usr "$out/"
release=$(ls "$out/usr/lib/modules")
for module in /added/*; do
  if [ "$(ls "$module/usr/lib/modules")" != "$release" ]; then
    echo "${module##*/} is for another kernel than $release" >&2
    exit 1
  fi
  cp --recursive --no-preserve=mode "$module/usr" "$out/"
done
PATH=$PATH:/usr/sbin:/sbin
# Of what nobody has it only warns.
depmod --basedir "$out/usr" --errsyms --symvers /symbols/Module.symvers "$release" 2>complaints
cat complaints >&2
if grep -q 'needs unknown symbol' complaints; then exit 1; fi
