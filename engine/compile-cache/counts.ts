// How often a compile cache had what a compiler was asked for. A type only, because all rooms of the engine tell of it.

export interface CompileCacheCounts {
  readonly hits: number;
  readonly misses: number;
}
