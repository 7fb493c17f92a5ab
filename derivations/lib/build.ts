// The two ways to say how a package is built, as data: an autotools build described by its differences from the usual
// one, or the lines of a shell script. Knows nothing of the text they become (build-script.ts does).

/** How a package is built. */
export type Build = Autotools | Script;

/** configure, make, make install. Arguments are shell words in double quotes: `$target`, `$src`, `$out` are filled in. */
export interface Autotools {
  readonly kind: 'autotools';
  /** Arguments of `configure` beside the usual ones (see `configure` in build-script.ts). */
  readonly configure: readonly string[];
  /** Arguments of `make`. */
  readonly make: readonly string[];
  /** Arguments of `make install` beside DESTDIR. */
  readonly install: readonly string[];
  /** Shell lines run in the build folder before configure. */
  readonly before: string;
  /** Shell lines run in the build folder after make install. */
  readonly after: string;
  /** Builds in a writable copy of the source, as many packages have to be; otherwise beside the source. */
  readonly inTree: boolean;
}

/** Lines of bash, run with `-euo pipefail` in the build folder. */
export interface Script {
  readonly kind: 'script';
  readonly lines: string;
  readonly inTree: boolean;
}

/**
 * An autotools build, in a copy of the source; everything that is not given is as usual.
 * @example autotools({ configure: ['--without-selinux'], after: 'ln -s gawk "$out/usr/bin/awk"' })
 */
export function autotools(spec: Partial<Omit<Autotools, 'kind'>>): Autotools {
  return {
    kind: 'autotools',
    configure: [],
    make: [],
    install: [],
    before: '',
    after: '',
    inTree: true,
    ...spec,
  };
}

/**
 * A build in its own words, in a copy of the source. `configure ARGUMENT…` is there as a function with the usual arguments.
 * @example script('configure --without-gpm\nmake\nmake install DESTDIR="$out"')
 */
export function script(lines: string, options: { readonly inTree?: boolean } = {}): Script {
  return { kind: 'script', lines, inTree: options.inTree ?? true };
}
