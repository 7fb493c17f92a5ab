// From a card's build to the shell script and the environment of its build step. Only text: nothing is run here.
// What is true for every package stands in this one file: flags, usual configure arguments, what an output may hold.

import type { Target } from '../../engine/model/index.ts';
import type { Autotools, Build } from './build.ts';
import { targetFacts } from './platform.ts';

/** Environment of a build step. What depends on the build folder is set by the script. `hasCxx`: the C++ layer is there. */
export function buildEnvironment(target: Target, hasCxx: boolean): Readonly<Record<string, string>> {
  const { triplet, hardening } = targetFacts[target];
  const tools = ['AR', 'RANLIB', 'NM', 'STRIP', 'OBJCOPY', 'OBJDUMP', 'READELF', 'LD', 'AS'];
  return {
    target: triplet,
    // Never equal to a target's name, so that every build is a cross build and none runs what it has just built.
    build: 'x86_64-cairn-linux-gnu',
    CC: `${triplet}-gcc --sysroot=/target`,
    // A compiler that is not there is worse than none: only some configure scripts take it as "no".
    ...(hasCxx && { CXX: `${triplet}-g++ --sysroot=/target -static-libstdc++` }),
    ...Object.fromEntries(tools.map((tool) => [tool, `${triplet}-${tool.toLowerCase()}`])),
    optimisation: `-O2 -g0 -fstack-protector-strong -fstack-clash-protection ${hardening}`,
    CPPFLAGS: '-D_FORTIFY_SOURCE=2',
    LDFLAGS: '-Wl,-z,relro -Wl,-z,now',
    CC_FOR_BUILD: 'gcc',
    BUILD_CC: 'gcc',
    CFLAGS_FOR_BUILD: '-O1 -g0',
    CPPFLAGS_FOR_BUILD: '',
    LDFLAGS_FOR_BUILD: '',
    PKG_CONFIG: 'pkg-config',
    PKG_CONFIG_SYSROOT_DIR: '/target',
    PKG_CONFIG_LIBDIR: `/target/usr/lib/${triplet}/pkgconfig:/target/usr/share/pkgconfig`,
    PYTHONDONTWRITEBYTECODE: '1',
  };
}

/** The whole script of a build step. `isPatched`: patches are in /patches, to be applied in the order of their names. */
export function buildScript(build: Build, options: { readonly isPatched: boolean }): string {
  const lines = build.kind === 'autotools' ? autotoolsLines(build) : build.lines.trim();
  return [preparing, sourceFolder(build.inTree, options.isPatched), configureFunction, lines, tidying]
    .map((part) => `${part.trim()}\n`)
    .join('\n');
}

function autotoolsLines(build: Autotools): string {
  return [
    build.before.trim(),
    command('configure', build.configure),
    command('make', build.make),
    command('make install DESTDIR="$out"', build.install),
    build.after.trim(),
  ]
    .filter((line) => line !== '')
    .join('\n');
}

function command(program: string, words: readonly string[]): string {
  return [program, ...words.map((word) => `"${word.replace(/["\\`]/g, '\\$&')}"`)].join(' ');
}

// No flag names the build folder in what is compiled: -ffile-prefix-map takes it out of __FILE__ and debug records.
// Libtool, old or new, learns from /etc/ld.so.conf.d where the target finds libraries without a search path.
const preparing = `
echo "/usr/lib/$target" >/etc/ld.so.conf.d/target.conf
export CFLAGS="$optimisation -ffile-prefix-map=$PWD=. -ffile-prefix-map=/src=."
export CXXFLAGS="$CFLAGS"
folder=$PWD
`;

function sourceFolder(inTree: boolean, isPatched: boolean): string {
  if (!inTree && !isPatched) return 'src=/src';
  const lines = inTree ? ['src=.'] : ['src=$folder/.source', 'mkdir "$src"'];
  lines.push('cp -a /src/. "$src"', 'chmod -R u+w "$src"');
  if (isPatched) lines.push('for file in /patches/*; do patch -d "$src" -p1 <"$file"; done');
  return lines.join('\n');
}

const configureFunction = `
configure() {
  "$src/configure" --build="$build" --host="$target" --prefix=/usr --libdir="/usr/lib/$target" \\
    --sysconfdir=/etc --localstatedir=/var --mandir=/usr/share/man --infodir=/usr/share/info \\
    --disable-nls --disable-static --disable-dependency-tracking "$@"
}
`;

// What every output has in common: no libtool files, info pages, translations or documentation but the manual; debug
// symbols and compiler names stripped; what only a compiler wants is in dev, or dropped when there is no such output.
const tidying = `
cd "$out"
dev=\${dev:-$(mktemp -d)}
find . -name '*.la' -delete
rm -rf usr/share/{info,doc,locale,gtk-doc,bash-completion,zsh}
find usr/share/man -mindepth 1 -maxdepth 1 ! -name 'man[1-9]*' -exec rm -rf {} + 2>/dev/null || true

to_dev() {
  mkdir -p "$dev/\${1%/*}"
  mv "$1" "$dev/$1"
  rmdir -p --ignore-fail-on-non-empty "\${1%/*}"
}
for path in usr/include usr/lib/$target/{*.a,*.o,pkgconfig} usr/share/{pkgconfig,aclocal} \\
  usr/share/man/man3* usr/bin/*-config usr/share/man/man1/*-config.1; do
  if [ -e "$path" ]; then to_dev "$path"; fi
done
for path in usr/lib/$target/lib*.so; do
  if [ -L "$path" ] || { [ -f "$path" ] && ! "$READELF" -h "$path" >/dev/null 2>&1; }; then to_dev "$path"; fi
done

while IFS= read -r -d '' file; do
  IFS= read -r -N 7 magic <"$file" 2>/dev/null || true
  case $file:$magic in
    *.o:$'\\x7fELF'* | *:'!<arch>') chmod u+w "$file"; "$STRIP" -D --strip-debug "$file" ;;
    *:$'\\x7fELF'*) chmod u+w "$file"; "$STRIP" -D --strip-unneeded --remove-section=.comment "$file" ;;
  esac
done < <(find "$out" "$dev" -type f -print0)
cd "$folder"
`;
