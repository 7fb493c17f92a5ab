// All cards, by package name. A new package is one file beside this one and one line here.

import { bash } from './bash.ts';
import { bc } from './bc.ts';
import { binutils } from './binutils.ts';
import { coreutils } from './coreutils.ts';
import { diffutils } from './diffutils.ts';
import { file } from './file.ts';
import { findutils } from './findutils.ts';
import { gawk } from './gawk.ts';
import { gdbm } from './gdbm.ts';
import { grep } from './grep.ts';
import { gzip } from './gzip.ts';
import { libpipeline } from './libpipeline.ts';
import { libxcrypt } from './libxcrypt.ts';
import { m4 } from './m4.ts';
import { manDb } from './man-db.ts';
import { mandoc } from './mandoc.ts';
import { ncurses } from './ncurses.ts';
import { procps } from './procps.ts';
import { psmisc } from './psmisc.ts';
import { readline } from './readline.ts';
import { sed } from './sed.ts';
import { shadow } from './shadow.ts';
import { tar } from './tar.ts';
import { utilLinux } from './util-linux.ts';
import { zlib } from './zlib.ts';

export const cards = {
  bash,
  bc,
  binutils,
  coreutils,
  diffutils,
  file,
  findutils,
  gawk,
  gdbm,
  grep,
  gzip,
  libpipeline,
  libxcrypt,
  m4,
  'man-db': manDb,
  mandoc,
  ncurses,
  procps,
  psmisc,
  readline,
  sed,
  shadow,
  tar,
  'util-linux': utilLinux,
  zlib,
};
