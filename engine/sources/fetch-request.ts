// What a download is asked for with. Types only.

/** A file to fetch: a `Fetch` derivation is one. */
export interface FetchRequest {
  readonly name: string;
  /** Tried in order: `mirror://NAME/path`, `https://…`, `http://…` or `file:///…`. */
  readonly urls: readonly string[];
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  readonly sizeBytes?: number;
}

/** The pin a download comes from: for messages, and for the day by which a snapshot service keeps it. */
export interface PinOrigin {
  /** Names of the flake's inputs that have it; one at least. */
  readonly inputs: readonly string[];
  readonly name: string;
  readonly version: string;
  /** When mirrors were last found to serve it; see `LockedInput`. */
  readonly servedAt?: string | undefined;
}
