cd objects
# What the makefiles cannot see begins anew: a change of their own rules, and a file that they have not read, which might
# be found before another of its name.
if [ -n "${CAIRN_CHANGED:-}" ]; then
  while IFS= read -r -d '' name; do
    case $name in
      /source/arch/*/boot/dts/* | /source/include/*) grep -rqsF --include='.*.cmd' -- " $name " arch || rm -rf arch ;;
      /source/*) find . -mindepth 1 -delete ;;
    esac
  done <"$CAIRN_CHANGED"
fi
take_configuration
kmake dtbs
while read -r dtb; do cp "$dtb" "$out/"; done <arch/arm64/boot/dts/dtbs-list
