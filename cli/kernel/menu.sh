# Opens the kernel's own menu on the terminal, on the configuration that is asked for, and finds out what has to be asked for
# beside that. Begins in an empty folder, with the kernel's rules at /source and what is asked for at /asked.
#
# Arguments: menuconfig or nconfig; the name of the fragment; what it asked for when it was written last, as lines of a
# .config; the program that finds out what is needed.

set -euo pipefail
menu=$1 fragment=$2 former=$3 minimal=$4

kmake() { make -s -C /source O="$PWD" "$@" >make.log 2>&1 || { cat make.log; exit 3; }; }

# conf and the menus get their environment from make: one rule that is nothing but a command keeps it.
echo "\$(shell,export -p >$PWD/environment)" >Kconfig.environment
kmake KBUILD_KCONFIG="$PWD/Kconfig.environment" allnoconfig
kmake "build_$menu"
. ./environment
export KCONFIG_CONFIG=.config

{ cat /asked/asked.config; echo "$former"; } >asked.config
KCONFIG_ALLCONFIG=asked.config scripts/kconfig/conf -s --allnoconfig Kconfig >make.log 2>&1 || { cat make.log; exit 3; }
cp .config start.config

# A terminal that nobody here knows is taken for a usual one.
[ -e "/usr/lib/terminfo/${TERM::1}/$TERM" ] || [ -e "/usr/share/terminfo/${TERM::1}/$TERM" ] || export TERM=xterm-256color
case $menu in
  menuconfig) scripts/kconfig/mconf Kconfig || status=$? ;;
  nconfig) scripts/kconfig/nconf Kconfig || status=$? ;;
esac
echo "${status:-0}" >status
if cmp -s .config start.config; then exit 0; fi

# From here on nobody need look: what was saved is worked on even if the terminal is gone.
python3 -c "$minimal" "$fragment" .config answer.json >minimal.log 2>&1 </dev/null
