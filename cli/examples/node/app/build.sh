# Run in the sandbox, by the step `wordcount`. A package that is vendored is found as an installed one is.
set -eu
app="$out/lib/wordcount"
mkdir -p "$out/bin" "$app"
cp -r /source/package.json /source/src "$app"
cp -r /source/vendor "$app/node_modules"
cp -r /source/test "$app"
(cd "$app" && node --test)
rm -r "$app/test"
chmod +x "$app/src/main.js"
ln -s ../lib/wordcount/src/main.js "$out/bin/wordcount"
echo 'one two two' | "$out/bin/wordcount"
