take_configuration() {
  local config=$CONFIG/config settings=$SETTINGS/include/config/auto.conf
  if cmp -s "$config" .config && cmp -s "$settings" include/config/auto.conf; then return; fi
  # Objects depend on a file for each option that they ask for, which is younger than they are when it was set otherwise.
  if [ -e include/config/auto.conf ]; then
    { diff include/config/auto.conf "$settings" || true; } | sed -n 's/^[<>] CONFIG_\([A-Za-z0-9_]*\)=.*/\1/p' |
      while read -r option; do touch "include/config/$option"; done
  fi
  cp --no-preserve=mode "$config" .config
  cp --no-preserve=mode --recursive $SETTINGS/. .
  : >include/config/auto.conf.cmd
}
