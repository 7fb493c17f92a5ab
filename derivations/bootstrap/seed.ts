// The seed: Debian packages unpacked into one root, less what no build reads, with the native compiler moved aside.
// Where its packages come from: inputs.ts. Why it looks like this: derivations/README.md.

import {
  compose,
  composePackages,
  from,
  write,
  type ComposePartSpec,
  type Derivation,
} from '../../engine/model/index.ts';
import { pinsOf, type PinsByName } from '../lib/pins.ts';

// Documentation, other languages, services, and compilers' parts that C for our two targets does without.
const dropped = [
  'usr/share/{doc,man,info,locale,lintian,bug,bash-completion,zsh,doc-base,menu,gdb}',
  'usr/share/{debianutils,base-files,initramfs-tools}',
  'usr/lib/systemd',
  'usr/lib/x86_64-linux-gnu/{gconv,libcrypto.a,libssl.a}',
  'usr/bin/*{gprofng,gp-,lto-dump,gcov}*',
  'usr/lib/gcc*/*/14/{lib*san*,libitm*,libgomp*,libquadmath*,libcc1*,libatomic.so,libbacktrace.a}',
  'usr/libexec/gcc*/*/14/lto1',
  'usr/include/{!(x86_64)-linux-gnu*,*-linux-gnu?*}',
  'usr/lib/linux/uapi/!(x86)',
  'usr/lib/aarch64-linux-gnu/ldscripts/!(aarch64linux.*|aarch64elf.*)',
  'usr/lib/x86_64-linux-gnu/ldscripts/{elf32,elf_iamcu}*',
  'usr/lib/x86_64-linux-gnu/perl/5.*/{CORE,Encode,auto/Encode/{JP,KR,CN,TW},auto/Unicode}',
  'usr/lib/x86_64-linux-gnu/perl/5.*/auto/{DB_File,*DBM_File}',
  'usr/share/perl/5.*/{Unicode/Collate,CPAN,CPAN.pm,Module/CoreList*,Test,Test2,TAP,ExtUtils,Pod,pod,Locale}',
  'usr/lib/x86_64-linux-gnu/libltdl*',
  'usr/include/{libltdl,ltdl.h}',
  // They would only fail in a sandbox: no accounts, no library cache, links to nowhere.
  'usr/bin/{pinky,users,who}',
  'usr/sbin/ldconfig',
  'usr/lib/ssl/cert.pem',
  'etc/{init.d,update-motd.d,rmt,gprofng.rc}',
];

// With --sysroot a native gcc still looks in <its own folder>/../../../x86_64-linux-gnu first, which in /usr is the
// seed's own library folder. In /opt/gcc that folder does not exist, so only the sysroot's libraries can be found.
const nativeCompiler = ['gcc', 'cpp', 'gcc-ar', 'gcc-nm', 'gcc-ranlib'];
const nativeFolders = { 'usr/lib/gcc': 'opt/gcc/lib/gcc', 'usr/libexec/gcc': 'opt/gcc/libexec/gcc' };

/** The seed as one root. */
export function seedTree(pins: PinsByName): Derivation {
  const packages = compose({
    name: 'seed-packages',
    parts: [{ input: composePackages('seed-files', pinsOf(pins, 'seed')), exclude: dropped }],
  });
  const programs = nativeCompiler.map((name) => `bin/x86_64-linux-gnu-${name}-14`);
  const moves = {
    ...nativeFolders,
    ...Object.fromEntries(programs.map((to) => [`usr/${to}`, `opt/gcc/${to}`])),
  };
  return compose({
    name: 'seed',
    parts: [
      { input: packages, exclude: Object.keys(moves) },
      ...moved(packages, moves),
      write({ name: 'seed-additions', files: { ...accounts, ...links() } }),
    ],
  });
}

/** Parts that bring what is at each key to the path that is its value. */
export function moved(tree: Derivation, moves: Readonly<Record<string, string>>): readonly ComposePartSpec[] {
  return Object.entries(moves).map(([subpath, at]) => ({ input: from(tree, { subpath }), at }));
}

const accounts = {
  'etc/passwd':
    'root:x:0:0:root:/build:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
  'etc/group': 'root:x:0:\nnogroup:x:65534:\n',
};

// The names that packages' maintainer scripts (alternatives) or packages left out on purpose would have made.
function links(): Readonly<Record<string, { readonly symlink: string }>> {
  const native = (name: string): string => `../../opt/gcc/bin/x86_64-linux-gnu-${name}-14`;
  const names: readonly (readonly [string, string])[] = [
    ['awk', 'gawk'],
    ['yacc', 'bison.yacc'],
    ['which', 'which.debianutils'],
    ['automake', 'automake-1.17'],
    ['aclocal', 'aclocal-1.17'],
    ['aarch64-linux-gnu-pkg-config', 'pkgconf'],
    ['cc', native('gcc')],
    ...nativeCompiler.flatMap((name): [string, string][] => [
      [name, native(name)],
      [`x86_64-linux-gnu-${name}`, native(name)],
      [`aarch64-linux-gnu-${name}`, `aarch64-linux-gnu-${name}-14`],
    ]),
  ];
  return Object.fromEntries(names.map(([name, symlink]) => [`usr/bin/${name}`, { symlink }]));
}
