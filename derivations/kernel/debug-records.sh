# The makefiles are told to have records made, and nobody else is: the configuration stays the one that the kernel says of
# itself. Where it has them made anyway, nothing is said.
records=()
if ! grep -q '^CONFIG_DEBUG_INFO=y' /config/config; then
  records=(CONFIG_DEBUG_INFO=y CONFIG_DEBUG_INFO_DWARF5=y CONFIG_GDB_SCRIPTS=y LD=/programs/ld)
fi
kmake() { make -C /source O="$PWD" "${records[@]}" "$@"; }
