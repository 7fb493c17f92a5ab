// The package's types are not among what it exports.
declare module '@bokuweb/zstd-wasm' {
  export function init(): Promise<void>;
  export function compress(bytes: Uint8Array, level: number): Uint8Array;
  export function decompress(bytes: Uint8Array): Uint8Array;
}
