// ncurses as Debian builds it: tinfo apart, versioned symbols, and the libraries in both widths of characters, because
// prebuilt programs link with either. Of the terminal descriptions only those of terminals in use are kept.
import { script } from '../lib/build.ts';
import { debianSource, definePackage } from '../lib/package.ts';

export const ncurses = definePackage({
  name: 'ncurses',
  description: 'terminal handling libraries and programs',
  licence: 'X11',
  homepage: 'https://invisible-island.net/ncurses/',
  source: debianSource('ncurses'),
  leaves: {
    '01-debian-no-ada-doc.diff': 'of the manual alone',
    '02-debian-backspace.diff': "Debian's choice of what Backspace sends, in two terminals",
    '03-debian-ncursesconfig-omit-L.diff': 'of ncurses6-config, which is for who links with it',
  },
  build: script(
    `
configure_width() {
  mkdir "$1" && cd "$1" && shift
  configure --with-shared --without-normal --without-debug --without-profile --without-cxx --without-cxx-binding \\
    --without-ada --without-tests --without-gpm --without-manpages-compression --with-manpage-format=normal \\
    --disable-rpath --disable-stripping --disable-relink --disable-termcap --disable-root-access \\
    --disable-setuid-environ --disable-wattr-macros --disable-pkg-ldflags --enable-overwrite --enable-symlinks \\
    --enable-const --enable-pc-files --with-pkg-config-libdir="/usr/lib/$target/pkgconfig" \\
    --with-termlib=tinfo --with-ticlib=tic --with-versioned-syms --with-xterm-kbs=del \\
    --with-default-terminfo-dir=/usr/share/terminfo \\
    --with-terminfo-dirs=/etc/terminfo:/lib/terminfo:/usr/share/terminfo \\
    --with-build-cc=gcc --with-build-cflags=-O1 cf_cv_type_of_bool='unsigned char' cf_cv_working_poll=yes "$@"
  cd ..
}
configure_width narrow --disable-widec --without-progs
make -C narrow libs
configure_width wide --enable-widec --with-progs
make -C wide

# Both widths share tinfo and tic: the wide build's are installed last. tic is the seed's, of this same version.
make -C narrow install.libs DESTDIR="$out"
make -C wide install DESTDIR="$out"
ln -sf libncursesw.so "$out/usr/lib/$target/libcurses.so"
mkdir "$out/usr/include/ncursesw"
for header in "$out"/usr/include/*.h; do ln -s "../\${header##*/}" "$out/usr/include/ncursesw/"; done
# Generated files say where they were generated from.
sed -i 's,/src/\\(man/../\\)\\?,,g' "$out/usr/include/curses.h" "$out/usr/share/man/man5/terminfo.5"

cd "$out/usr/share/terminfo"
find . \\( -type f -o -type l \\) \\
  ! -name 'ansi*' ! -name dumb ! -name 'linux*' ! -name 'vt[125]*' ! -name 'xterm*' ! -name 'screen*' ! -name 'tmux*' \\
  ! -name 'rxvt*' ! -name 'foot*' ! -name 'alacritty*' ! -name 'kitty*' ! -name 'konsole*' ! -name 'vte*' ! -name 'st*' \\
  ! -name 'putty*' ! -name 'wezterm*' ! -name 'ms-terminal' ! -name sun ! -name 'cygwin*' -delete
find . -xtype l -delete
find . -mindepth 1 -type d -empty -delete
`,
    { inTree: false },
  ),
  gives: {
    outputs: ['out', 'dev'],
    files: [
      'usr/bin/tput',
      'usr/bin/tic',
      'usr/share/terminfo/l/linux',
      'usr/share/terminfo/x/xterm-256color',
      'usr/include/curses.h',
      'usr/lib/$target/libtinfo.so',
      'usr/lib/$target/pkgconfig/ncursesw.pc',
    ],
    libraries: [
      ...['libtinfo.so.6', 'libtic.so.6', 'libncurses.so.6', 'libncursesw.so.6'],
      ...[
        'libform.so.6',
        'libformw.so.6',
        'libmenu.so.6',
        'libmenuw.so.6',
        'libpanel.so.6',
        'libpanelw.so.6',
      ],
    ],
    runs: [
      ['/usr/bin/tput', '-T', 'xterm-256color', 'colors'],
      ['/usr/bin/infocmp', 'linux'],
    ],
  },
});
