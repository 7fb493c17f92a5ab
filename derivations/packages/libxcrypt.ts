// libxcrypt as Debian builds it: every hash method, and for old programs the symbols that glibc's libcrypt had.
import { autotools } from '../lib/build.ts';
import { debianSource, definePackage } from '../lib/package.ts';

export const libxcrypt = definePackage({
  name: 'libxcrypt',
  description: 'password hashing library',
  licence: 'LGPL-2.1-or-later',
  homepage: 'https://github.com/besser82/libxcrypt',
  source: debianSource('libxcrypt'),
  build: autotools({
    // The archive is a snapshot without a generated configure.
    before: 'autoreconf -fi',
    configure: ['--enable-hashes=all', '--enable-obsolete-api=glibc', '--disable-xcrypt-compat-files'],
  }),
  gives: {
    outputs: ['out', 'dev'],
    files: ['usr/include/crypt.h', 'usr/lib/$target/libcrypt.so', 'usr/share/man/man5/crypt.5'],
    libraries: ['libcrypt.so.1'],
    runs: [],
  },
});
