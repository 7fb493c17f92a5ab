cd objects
# What the makefiles cannot see begins anew: a change of their own rules, and a file that they have not read, which might
# be found before another of its name. What is included by its folder's other name (`arm/broadcom/…`) is listed by that.
is_listed() {
  local prefixes=/source/scripts/dtc/include-prefixes other=$1
  case $1 in
    /source/arch/*/boot/dts/*) other=$prefixes/$(sed 's,^/source/arch/\([^/]*\)/boot/dts/,\1/,' <<<"$1") ;;
    /source/include/dt-bindings/*) other=$prefixes/${1#/source/include/} ;;
  esac
  grep -rqsF --include='.*.cmd' -e " $1 " -e " $other " -- arch
}
if [ -n "${CAIRN_CHANGED:-}" ]; then
  while IFS= read -r -d '' name; do
    case $name in
      /source/arch/*/boot/dts/* | /source/include/*) is_listed "$name" || rm -rf arch ;;
      /source/*) find . -mindepth 1 -delete ;;
    esac
  done <"$CAIRN_CHANGED"
fi
take_configuration
kmake dtbs
while read -r dtb; do cp "$dtb" "$out/"; done <arch/arm64/boot/dts/dtbs-list
