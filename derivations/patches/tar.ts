// What Debian's series for tar 1.35 has.

/** Deleting from an archive spoilt it, since 1.35 counts records in another way; upstream commit d437ecf7. */
export const recordsCounted = { debian: 'tar-1.35-revert-fix-savannah-bug-633567.patch' };

export const leftOfTar = {
  'pristine-tar.diff': 'options for pristine-tar, which nothing here calls',
  'listed03-linux-only': 'of the test suite alone',
  'oldgnu-unknown-mode-bits.patch': 'for kinds of files that the Hurd has and Linux has not',
  'proper_it_translation.patch': 'a translation, and none is built',
  'exclude17.patch': 'of the test suite alone',
  'exclude18.patch': 'of the test suite alone',
};
