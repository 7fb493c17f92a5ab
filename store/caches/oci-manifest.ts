// A file of a cache as a container registry keeps it: a tagged manifest (OCI image specification 1.1, as for any artifact) whose one
// layer has the file's bytes. What is tagged no registry collects. Pure; decoding believes nothing.

import { createHash } from 'node:crypto';

export const manifestType = 'application/vnd.oci.image.manifest.v1+json';
export const largestManifest = 64 * 1024;

/** A blob of a registry. */
export interface OciBlob {
  /** `sha256:…` */
  readonly digest: string;
  readonly sizeBytes: number;
}

const emptyType = 'application/vnd.oci.empty.v1+json';
const fileType = 'application/vnd.cairn.cache.file.v1';
/** A registry need not let anybody delete: what is taken away has this in its place. */
const removedType = 'application/vnd.cairn.cache.removed.v1';
const layerType = 'application/octet-stream';

/** The config of every artifact that has none. */
export const emptyBytes = Buffer.from('{}');
export const emptyBlob: OciBlob = { digest: sha256Digest(emptyBytes), sizeBytes: emptyBytes.byteLength };

export function sha256Digest(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The tag of a file. Names have one slash at most, and no character that a tag may not have. */
export function tagOf(name: string): string {
  return name.replace('/', '-');
}

/** The file with this tag; undefined for tags of others, who may have images in the same repository. */
export function nameOf(tag: string): string | undefined {
  if (tag === 'cairn-cache') return tag;
  const [, kind, id] = /^(index|records|content|packs|blobs|latest)-([0-9a-f]{1,64})$/.exec(tag) ?? [];
  return kind === undefined ? undefined : `${kind}/${id}`;
}

/** The manifest of a file; of one that was taken away when there is no blob. */
export function encodeManifest(name: string, blob: OciBlob | undefined): Buffer {
  const descriptor = (mediaType: string, { digest, sizeBytes }: OciBlob): object => ({
    mediaType,
    digest,
    size: sizeBytes,
  });
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      artifactType: blob === undefined ? removedType : fileType,
      config: descriptor(emptyType, emptyBlob),
      layers: [blob === undefined ? descriptor(emptyType, emptyBlob) : descriptor(layerType, blob)],
      annotations: { 'org.opencontainers.image.title': name },
    }),
  );
}

/** The blob with a file's bytes; undefined for one that was taken away. @throws Error for anything else */
export function decodeManifest(bytes: Uint8Array): OciBlob | undefined {
  const manifest = objectIn(parsed(bytes));
  if (manifest?.['artifactType'] === removedType) return undefined;
  const layers = manifest?.['layers'];
  const layer = Array.isArray(layers) && layers.length === 1 ? objectIn(layers[0]) : undefined;
  const { digest, size } = layer ?? {};
  const isBlob = typeof digest === 'string' && /^sha256:[0-9a-f]{64}$/.test(digest);
  if (
    manifest?.['artifactType'] !== fileType ||
    !isBlob ||
    !Number.isSafeInteger(size) ||
    (size as number) < 0
  )
    throw new Error('it is no file of a cache');
  return { digest, sizeBytes: size as number };
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

function objectIn(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}
