# Run in the sandbox, by the step `wordcount`.
set -eu
cd /source
PYTHONPATH=src:vendor python3 -m unittest discover --start-directory tests
mkdir -p "$out/bin" "$out/lib/wordcount"
cp -r src/. vendor/. "$out/lib/wordcount"
cp bin/wordcount "$out/bin"
chmod +x "$out/bin/wordcount"
echo 'one two two' | "$out/bin/wordcount"
