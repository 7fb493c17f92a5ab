// A tiny Debian archive, signed with a key of its own, made on the spot and served over HTTP: everything `cairn lock`
// reads of a mirror, with a way to get any of it wrong.

import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { createCleartextMessage, generateKey, readPrivateKey, sign, type PrivateKey } from 'openpgp';
import { openMirrors, type Mirrors } from '../../../engine/sources/mirrors.ts';
import { serve, type WebServer } from '../../support/web-server.ts';

const lzma = createRequire(import.meta.url)('lzma-native') as { compress(text: string): Promise<Buffer> };

export interface SigningKey {
  readonly privateKey: PrivateKey;
  /** Armored. */
  readonly publicKey: string;
}

export async function signingKey(): Promise<SigningKey> {
  const keys = await generateKey({ userIDs: [{ name: 'Test archive' }], curve: 'ed25519Legacy' });
  return { privateKey: await readPrivateKey({ armoredKey: keys.privateKey }), publicKey: keys.publicKey };
}

export interface ArchiveSpec {
  readonly suite?: string;
  /** Text of `main/binary-amd64/Packages`. */
  readonly packages?: string;
  /** Text of `main/source/Sources`. */
  readonly sources?: string;
  readonly date?: Date;
  readonly validUntil?: Date;
  readonly signers: readonly SigningKey[];
}

/** Files by path below the mirror's base; tests change them before serving. */
export async function archiveFiles(spec: ArchiveSpec): Promise<Map<string, Buffer>> {
  const { suite = 'trixie', packages = '', sources = '' } = spec;
  const files = new Map<string, Buffer>();
  const sums: string[] = [];
  for (const [path, text] of [
    ['main/binary-amd64/Packages', packages],
    ['main/source/Sources', sources],
  ] as const) {
    const bytes = await lzma.compress(text);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const folder = `dists/${suite}/${path.slice(0, path.lastIndexOf('/'))}`;
    files.set(`${folder}/by-hash/SHA256/${sha256}`, bytes);
    files.set(`dists/${suite}/${path}.xz`, bytes);
    sums.push(` ${sha256} ${bytes.length} ${path}.xz`);
  }
  files.set(`dists/${suite}/InRelease`, await inRelease(spec, sums));
  return files;
}

async function inRelease(spec: ArchiveSpec, sums: readonly string[]): Promise<Buffer> {
  const text = [
    'Origin: Debian',
    'Suite: stable',
    `Codename: ${spec.suite ?? 'trixie'}`,
    `Date: ${(spec.date ?? new Date()).toUTCString()}`,
    ...(spec.validUntil === undefined ? [] : [`Valid-Until: ${spec.validUntil.toUTCString()}`]),
    'Acquire-By-Hash: yes',
    'Components: main contrib',
    'SHA256:',
    ...sums,
    '',
  ].join('\n');
  const message = await createCleartextMessage({ text });
  return Buffer.from(await sign({ message, signingKeys: spec.signers.map(({ privateKey }) => privateKey) }));
}

export interface ServedArchive {
  readonly server: WebServer;
  readonly mirrors: Mirrors;
}

/** Serves the files as `mirror://debian`, and of its pool all but what `lacks` has; nothing else as any mirror. */
export async function serveArchive(
  files: ReadonlyMap<string, Buffer>,
  lacks: readonly string[] = [],
): Promise<ServedArchive> {
  const server = await serve((request, response) => {
    const path = request.url?.slice(1) ?? '';
    const file = files.get(path) ?? (path.startsWith('pool/') && !lacks.includes(path) ? '' : undefined);
    if (file === undefined) response.writeHead(404).end();
    // Without a length: of what is in the pool the tests say nothing.
    else if (request.method === 'HEAD') response.end();
    else response.end(file);
  });
  return { server, mirrors: mirrorsAt(server) };
}

/** Where `mirror://debian` and `mirror://debian-security` are each of the servers, in this order. */
export function mirrorsAt(...servers: readonly WebServer[]): Mirrors {
  const bases = servers.map(({ base }) => base).join(' ');
  const env = { CAIRN_MIRROR_DEBIAN: bases, CAIRN_MIRROR_DEBIAN_SECURITY: bases };
  return openMirrors({ env, aptFolder: '/nonexistent' });
}
