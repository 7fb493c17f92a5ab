#!/bin/bash
# A linker whose build ids do not depend on records for debuggers: a build id is a digest of everything in a file, and so it
# is taken from the same file without them.
set -euo pipefail
ld=${CROSS_COMPILE}ld
case " $* " in
  *' --strip-debug '*) exec "$ld" "$@" ;;
  *' --build-id=sha1 '*) ;;
  *) exec "$ld" "$@" ;;
esac
arguments=("$@")
for ((at = 0; at < $#; at++)); do
  if [ "${arguments[at]}" = -o ]; then bare=${arguments[at + 1]}.bare; fi
done
"$ld" "$@" --strip-debug -o "$bare"
id=$("${CROSS_COMPILE}readelf" --notes "$bare" | sed -n 's/.*Build ID: //p')
rm "$bare"
exec "$ld" "${arguments[@]/#--build-id=sha1/--build-id=0x$id}"
