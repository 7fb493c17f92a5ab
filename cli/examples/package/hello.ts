import { autotools, debianSource, definePackage } from 'cairn-build/derivations';

export const hello = definePackage({
  name: 'hello',
  description: 'prints a greeting',
  licence: 'GPL-3.0-or-later',
  homepage: 'https://www.gnu.org/software/hello/',
  source: debianSource('hello'),
  build: autotools({}),
  gives: { files: ['usr/bin/hello'], runs: [['/usr/bin/hello']] },
});
