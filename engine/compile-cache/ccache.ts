// What ccache is told, and what it tells: its settings, the programs that are called in place of compilers, its statistics.
// Texts only; ccache(1), version 4.

import type { CompileCacheCounts } from './counts.ts';
import type { CompileCacheKeys } from './keys.ts';

/** Where a step has all of it: no layer can have anything there, and a mount point costs nothing. */
export const compileCachePlace = '/dev/compile-cache';

/** In that folder, and in the one that is mounted there. */
export const partNames = {
  settings: 'settings',
  compilers: 'compilers',
  tool: 'tool',
  content: 'content',
  statistics: 'statistics',
} as const;

const placeOf = (part: keyof typeof partNames): string => `${compileCachePlace}/${partNames[part]}`;

/** What goes before all other folders in PATH. */
export const compilersPlace = placeOf('compilers');

/**
 * Nothing in them is a hint: text and arguments decide, never times, inode numbers or the name of a compiler. What is in the
 * cache's own folder is not asked for settings: steps write there.
 */
export function settingsText({ compilers }: CompileCacheKeys, maxBytes: number): string {
  const settings = {
    cache_dir: placeOf('content'),
    temporary_dir: `${placeOf('content')}/tmp`,
    max_size: `${Math.max(1, Math.floor(maxBytes / 1024))}Ki`,
    compiler_check: `string:${compilers}`,
    direct_mode: true,
    depend_mode: false,
    run_second_cpp: true,
    hash_dir: true,
    inode_cache: false,
    hard_link: false,
    file_clone: false,
    sloppiness: '',
    stats_log: placeOf('statistics'),
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${String(value)}\n`)
    .join('');
}

/**
 * A program that stands for a compiler. Assembler text goes to the compiler itself: it may take in files (`.include`) that
 * ccache does not look into. The second key is in a variable that ccache hashes in direct mode alone, and that means nothing
 * to a compiler of C or C++.
 */
export function compilerText(compiler: string, { files }: CompileCacheKeys): string {
  const libraries = ['usr/lib/x86_64-linux-gnu', 'usr/lib64'].map((folder) => `${placeOf('tool')}/${folder}`);
  const loader = `${libraries[1]!}/ld-linux-x86-64.so.2 --library-path ${libraries.join(':')}`;
  return `#!/bin/sh
for word; do
  case $word in *.[sS]) exec ${compiler} "$@" ;; esac
done
unset ${ccacheVariables.map((name) => `CCACHE_${name}`).join(' ')}
export CCACHE_CONFIGPATH=${placeOf('settings')}
export OBJCPLUS_INCLUDE_PATH=${files.replace('/', '-')}
exec ${loader} ${placeOf('tool')}/usr/bin/ccache ${compiler} "$@"
`;
}

// A step that sets one of these had another cache in mind; with CCACHE_DISABLE and CCACHE_RECACHE it does without this one.
const ccacheVariables = `
  BASEDIR CC COMPILER COMPILERCHECK COMPILERTYPE CPP2 NOCPP2 DEBUG DEPEND NODEPEND DIR DIRECT NODIRECT EXTENSION EXTRAFILES
  FILECLONE HARDLINK HASHDIR NOHASHDIR IGNOREHEADERS IGNOREOPTIONS INODECACHE NOINODECACHE LOGFILE MAXFILES MAXSIZE
  NAMESPACE PATH PCH_EXTSUM PREFIX PREFIX_CPP READONLY READONLY_DIRECT REMOTE_ONLY REMOTE_STORAGE RESHARE
  SECONDARY_STORAGE SLOPPINESS STATS NOSTATS STATSLOG TEMPDIR UMASK
`
  .trim()
  .split(/\s+/);

const hitIds = new Set(['direct_cache_hit', 'preprocessed_cache_hit']);
const missId = 'cache_miss';

/** What a log of statistics has of compilations; calls that no cache could answer are not in it. */
export function countsIn(statistics: string): CompileCacheCounts {
  const lines = statistics.split('\n');
  const count = (isIt: (line: string) => boolean): number => lines.filter(isIt).length;
  return { hits: count((line) => hitIds.has(line)), misses: count((line) => line === missId) };
}
