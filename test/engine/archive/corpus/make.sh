#!/bin/sh
# Makes the archives beside it, of one small tree, each with the program that its name begins with. Needs tar,
# libarchive-tools, zip, p7zip-full, xz-utils (5.4 or newer), zstd, bzip2, python3 and dpkg. Run it only to add to them:
# tests read what is here, so that they need none of these programs.
set -eu
umask 022
out=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cd "$work"
mkdir -p p/empty
printf 'hello\n' >p/text
printf '#!/bin/sh\n' >p/program
chmod 755 p/program
ln -s text p/link
printf 'u' >p/größe
find p -exec touch -h -d @1000000000 {} +

gnu() { tar --owner=0 --group=0 --sort=name "$@"; }
for format in v7 ustar gnu oldgnu pax; do gnu --format=$format -cf - p | gzip -9n >"$out/gnutar-$format.tar.gz"; done
gnu -cf plain.tar p
for filter in x86 arm armthumb arm64 powerpc sparc ia64 delta; do
  xz -c --$filter --lzma2 plain.tar >"$out/xz-$filter.tar.xz"
done
xz -c --format=lzma plain.tar >"$out/xz-alone.tar.lzma"
zstd -qc --check -19 plain.tar >"$out/zstd-one.tar.zst"
bzip2 -c plain.tar >"$out/bzip2-one.tar.bz2"

for format in ustar gnutar pax v7tar; do bsdtar --format=$format -cf - p | gzip -9n >"$out/bsdtar-$format.tar.gz"; done
bsdtar --format=zip -cf "$out/bsdtar-zip.zip" p
for how in bzip2 xz zstd lzma; do bsdtar --$how -cf "$out/bsdtar-$how.tar.$how" p; done

zip -qry "$out/infozip-symlinks.zip" p
(printf '#!/bin/sh\nexit\n'; cat "$out/infozip-symlinks.zip") >"$out/infozip-unadjusted.zip"
cp "$out/infozip-unadjusted.zip" "$out/infozip-adjusted.zip"
zip -qA "$out/infozip-adjusted.zip"

7z a -bso0 -ttar -snl 7z.tar p
gzip -9nc 7z.tar >"$out/7z-tar.tar.gz"
7z a -bso0 -tzip -snl "$out/7z-deflate.zip" p
7z a -bso0 -txz "$out/7z-xz.tar.xz" 7z.tar
7z a -bso0 -tgzip "$out/7z-gzip.tar.gz" 7z.tar
7z a -bso0 -tbzip2 "$out/7z-bzip2.tar.bz2" 7z.tar

OUT=$out python3 - <<'PYTHON'
import os, tarfile, zipfile
out = os.environ['OUT']
for form in ('USTAR', 'GNU', 'PAX'):
    for how in ('gz', 'bz2', 'xz'):
        with tarfile.open(f'{out}/python-{form.lower()}.tar.{how}', f'w:{how}', format=getattr(tarfile, f'{form}_FORMAT')) as t:
            t.add('p')
with zipfile.ZipFile(f'{out}/python-zipfile.zip', 'w', zipfile.ZIP_DEFLATED) as z:
    for name in ('p/', 'p/empty/', 'p/text', 'p/program', 'p/größe'):
        z.write(name)
PYTHON

mkdir -p d/DEBIAN
cp -a p d/
printf 'Package: p\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: p\n' >d/DEBIAN/control
for how in none gzip xz zstd; do dpkg-deb --root-owner-group -Z$how -b d "$out/dpkgdeb-$how.deb" >/dev/null; done
