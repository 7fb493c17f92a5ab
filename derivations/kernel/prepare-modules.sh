mkdir objects
cd objects
take_configuration
kmake modules_prepare
# Which files that takes is said by the kernel itself. It would make its programs anew for the target if it knew of another
# compiler, and wants a list of symbols, which comes from elsewhere.
touch Module.symvers
srctree=/source CC=cc HOSTCC=cc bash /source/scripts/package/install-extmod-build "$out"
rm "$out/Module.symvers"
cp .config "$out/"
