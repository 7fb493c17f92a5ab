// mandoc's formatter, with which man-db shows pages: one small C program in place of groff, which needs C++. Its own man,
// apropos and makewhatis are left out; man-db has them. Its configure runs its tests, so they are compiled for the build
// machine: the seed's C library has the same version as the target's.
import { script } from '../lib/build.ts';
import { debianSource, definePackage } from '../lib/package.ts';

export const mandoc = definePackage({
  name: 'mandoc',
  description: 'formatter for manual pages',
  licence: 'ISC AND BSD-2-Clause AND BSD-3-Clause',
  homepage: 'https://mandoc.bsd.lv/',
  source: debianSource('mdocml'),
  leaves: {
    'recvmsg-hurd.patch': 'for the Hurd',
  },
  needs: { libraries: ['zlib'] },
  build: script(
    `
cat >configure.local <<END
CC=gcc
CFLAGS="$CFLAGS_FOR_BUILD"
OSENUM=MANDOC_OS_OTHER
UTF8_LOCALE=C.UTF-8
BINM_PAGER=more
HAVE_LESS_T=0
END
./configure
make CC="$CC" CFLAGS="$CFLAGS $CPPFLAGS" LDFLAGS="$LDFLAGS" AR="$AR" mandoc
install -D mandoc "$out/usr/bin/mandoc"
install -Dm644 -t "$out/usr/share/man/man1" mandoc.1
install -Dm644 -t "$out/usr/share/man/man7" eqn.7 man.7 mandoc_char.7 mdoc.7 roff.7 tbl.7
`,
  ),
  gives: {
    files: ['usr/bin/mandoc', 'usr/share/man/man1/mandoc.1', 'usr/share/man/man7/mdoc.7'],
    runs: [['/usr/bin/mandoc', '-Tutf8', '/usr/share/man/man1/mandoc.1']],
  },
});
