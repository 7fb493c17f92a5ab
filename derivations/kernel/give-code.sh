cp "$file" "$image/kernel"
chmod 644 "$image/kernel"
install_modules "$modules"
cp System.map "$symbols/"
# In one order, since a kept folder may have another than a new one.
if [ -e Module.symvers ]; then sort Module.symvers >"$symbols/Module.symvers"; fi
touch .complete
