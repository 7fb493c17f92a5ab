# Run in the sandbox, by the step `hello`.
set -eu
mkdir -p "$out/bin"
{
  echo '#!/bin/sh'
  sed 's/.*/echo "&"/' /source/greeting.txt
} >"$out/bin/hello"
chmod +x "$out/bin/hello"
"$out/bin/hello"
