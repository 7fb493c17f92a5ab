// What a build step is: one closed union of plain values, and what they are made of. Types only; derivation.ts makes them.

/** Where a step runs. */
export type Platform = 'x86_64-linux';
/** What a step's output is for. */
export type Target = 'aarch64-linux' | 'x86_64-linux';

/** The pure description of one step. */
export type Derivation = Fetch | Unpack | Write | Compose | Local | Run;

/** An output of another derivation, optionally narrowed to a subtree or file of it. */
export interface Input {
  readonly derivation: Derivation;
  /** Which output; every kind but `run` has only `out`. */
  readonly output: string;
  /** A path inside that output, or '' for all of it. Only the digest found there enters the action id. */
  readonly subpath: string;
}

/** Where an input is asked for, a derivation alone means all of its `out`. */
export type InputLike = Derivation | Input;

/** A download whose content is known beforehand: URLs + SHA-256 → blob. */
export interface Fetch {
  readonly kind: 'fetch';
  readonly name: string;
  /** Tried in order: `mirror://NAME/path` or `https://…`. */
  readonly urls: readonly string[];
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  readonly sizeBytes?: number;
}

/** An archive's content: blob → tree. tar (plain, gzip, bzip2, xz, zstd), zip and deb are told apart by their first bytes. */
export interface Unpack {
  readonly kind: 'unpack';
  readonly name: string;
  readonly archive: Input;
  /**
   * How many leading path parts every entry loses, as in `tar --strip-components`; a file that would lose its whole
   * name, or become one with another, is an error. Without it, the top folder is left out where it is the only thing
   * at the top.
   */
  readonly strip?: number;
  /** Globs over the paths in the archive, before anything is stripped; a folder's name stands for all in it. */
  readonly exclude?: readonly string[];
  readonly limits?: ArchiveLimits;
}

/** Bounds on one archive, where the usual ones are too small or too large. They are not part of the action id. */
export interface ArchiveLimits {
  /** What may come out of it, file contents and headers together, however small the archive is. */
  readonly unpackedBytes?: number;
  /** How many files, symlinks and folders its tree may have. */
  readonly entries?: number;
}

/** Literal files → tree. */
export interface Write {
  readonly kind: 'write';
  readonly name: string;
  /** What it is, in a few words for people: where an output has none of its own, `cairn list` shows it. No part of any id. */
  readonly description?: string;
  readonly files: Readonly<Record<string, FileContent>>;
}
export type FileContent =
  | { readonly text: string; readonly executable?: boolean }
  | { readonly bytes: Uint8Array; readonly executable?: boolean }
  | { readonly symlink: string };

/** Trees → tree, on Merkle nodes only. */
export interface Compose {
  readonly kind: 'compose';
  readonly name: string;
  readonly description?: string;
  readonly parts: readonly ComposePart[];
  /** What two parts that bring different content to one path mean: an error naming both, or an overlay in order. */
  readonly conflicts: 'error' | 'later-wins';
}
export interface ComposePart {
  readonly input: Input;
  /** Where in the result it goes; '' is the top. A blob input needs a file path here. */
  readonly at: string;
  /** Globs over paths of this part; when not empty, only files they match are taken. */
  readonly include: readonly string[];
  /** Globs over paths of this part that are left out (a directory's glob leaves out all below it). */
  readonly exclude: readonly string[];
  /** Not what is in it, but its digest, as the text of the file `at`: for who says what something was made from. */
  readonly as?: 'digest';
}

/** A folder of this machine, imported when the flake is evaluated; its id is its content. */
export interface Local {
  readonly kind: 'local';
  readonly name: string;
  /** Absolute path. It is not part of the id: only what is in the folder is. */
  readonly path: string;
  /** Further ignore patterns, in `.gitignore` syntax. */
  readonly exclude: readonly string[];
  /** The input that it stands for, where it does. It is not part of the id either. */
  readonly standsFor?: string;
}

/** A command in the sandbox. */
export interface Run {
  readonly kind: 'run';
  readonly name: string;
  readonly description?: string;
  readonly platform: Platform;
  readonly target: Target;
  /** Trees stacked into the root, lowest first. */
  readonly layers: readonly Input[];
  /** Further inputs, read-only, by absolute path in the sandbox. */
  readonly inputs: Readonly<Record<string, Input>>;
  readonly env: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
  /** Names of outputs. Each is a folder `/outputs/<name>`, also given in the environment variable of that name. */
  readonly outputs: readonly string[];
  /** Outputs that the command need not put anything into, as checks do not; every other one that is empty is a failure. */
  readonly mayBeEmpty: readonly string[];
  readonly limits: Limits;
  readonly incremental?: Incremental;
  readonly compileCache?: CompileCache;
  /** False: on this machine alone, whatever workers there are. */
  readonly remote?: false;
}

/**
 * What lets a command do only what changed since the last time. A clean build knows nothing of it, but that the folders are
 * there. In an incremental one the folders are as the last build of this lineage left them, and the sources a copy that is
 * brought up to date by content: what is unchanged keeps its inode and time, what is changed is younger than anything in the
 * folders. So make(1) can tell, and nothing else of the step differs.
 */
export interface Incremental {
  /** Relative to the folder that the step begins in: there and empty in a clean build. */
  readonly folders: readonly string[];
  /** Paths of `inputs`. A change of any other input begins anew, as one of layers, environment or command does. */
  readonly sources: readonly string[];
}

/**
 * What lets a command take from earlier builds of its lineage what its compilers gave for the same text. It is no part of the
 * action: a clean build is done without it, and gives the same.
 */
export interface CompileCache {
  /** A tree with `usr/bin/ccache`, a loader and what ccache needs. */
  readonly tool: Input;
  /** Absolute paths. Who calls one by its last part, through PATH, is answered from the cache where that has it. */
  readonly compilers: readonly string[];
  /** Paths of `inputs` that compilers read text from. With another content of any other input, what is kept is not used. */
  readonly sources: readonly string[];
}

/** Bounds on one step; exceeding one is a failure that names it. They are not part of the action id. */
export interface Limits {
  /** Wall time. */
  readonly timeoutSeconds?: number;
  /** Wall time without a byte of output. */
  readonly silenceSeconds?: number;
  /** Resident memory of all its processes together. */
  readonly memoryBytes?: number;
  readonly logBytes?: number;
}
