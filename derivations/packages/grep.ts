// grep, without Perl regular expressions: the set has no PCRE. As in Debian, egrep and fgrep do not warn that they are
// obsolescent: scripts of the LSB's time use them.
import { autotools } from '../lib/build.ts';
import { gnulibAnswers } from '../lib/gnulib.ts';
import { debianSource, definePackage } from '../lib/package.ts';

export const grep = definePackage({
  name: 'grep',
  description: 'prints lines that match patterns',
  licence: 'GPL-3.0-or-later',
  homepage: 'https://www.gnu.org/software/grep/',
  source: debianSource('grep'),
  build: autotools({
    inTree: false,
    configure: [...gnulibAnswers, '--disable-perl-regexp'],
    after: `
printf '#!/bin/sh\\nexec grep -E "$@"\\n' >"$out/usr/bin/egrep"
printf '#!/bin/sh\\nexec grep -F "$@"\\n' >"$out/usr/bin/fgrep"
`,
  }),
  gives: {
    files: ['usr/bin/grep', 'usr/bin/egrep', 'usr/bin/fgrep', 'usr/share/man/man1/grep.1'],
    runs: [['/usr/bin/grep', '-q', 'x', '/usr/bin/grep']],
  },
});
