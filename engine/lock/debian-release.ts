// A suite's InRelease: its OpenPGP signature checked against Debian's archive keys, its dates checked against the clock,
// and the hashes of the indices it vouches for. Nothing in the text is looked at before the signature is good.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../store/base/errors.ts';
import { packageRoot } from '../../store/base/package-root.ts';
import { parseDeb822, wordsOf, type Stanza } from '../sources/deb822.ts';

/** What a signed InRelease says. */
export interface Release {
  readonly suite: string;
  /** When it was made, in milliseconds since 1970. */
  readonly dateMs: number;
  readonly components: readonly string[];
  readonly hasByHash: boolean;
  /** Indices by path below `dists/<suite>/`. */
  readonly files: ReadonlyMap<string, { readonly sha256: string; readonly sizeBytes: number }>;
}

export interface ReleaseOptions {
  /** The suite that was asked for, by suite's or code name. */
  readonly suite: string;
  /** Where the text came from, for messages. */
  readonly url: string;
  /** Armored public keys that may sign. */
  readonly keys: readonly string[];
  /** It is known to be of the past: no clock is asked whether it is still valid. */
  readonly isSnapshot?: boolean;
}

const debianKeys = join(packageRoot, 'engine/lock/debian-keys');
/** Debian's are of 200 kB. What looks for a signature in a longer one takes the square of its length. */
const maxBytes = 1 << 20;
/** How far ahead of this machine's clock an archive may be. */
const clockToleranceMs = 24 * 3600 * 1000;

/** The armored keys in a folder's `*.asc` files; Debian's own when no folder is given. */
export async function readArchiveKeys(folder = debianKeys): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.asc')).sort();
  return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
}

/** @throws UserError `LOCK_SIGNATURE` for a bad signature, the wrong suite, an expired or impossible date. */
export async function verifyRelease(text: string, options: ReleaseOptions): Promise<Release> {
  const signed = await signedText(text, options);
  const [fields] = parseDeb822(signed);
  if (fields === undefined) throw untrusted(options, 'it is empty');
  checkSuite(fields, options);
  if (options.isSnapshot !== true) checkDates(fields, options);
  return {
    suite: options.suite,
    dateMs: Date.parse(fields.get('date') ?? '') || 0,
    components: wordsOf(fields.get('components')),
    hasByHash: fields.get('acquire-by-hash') === 'yes',
    files: readFiles(fields.get('sha256') ?? ''),
  };
}

// One good signature by a known key is enough: archives are signed by the old and the new release's keys at once.
async function signedText(text: string, options: ReleaseOptions): Promise<string> {
  if (text.length > maxBytes)
    throw untrusted(options, `it is longer than any release (${text.length} bytes, at most ${maxBytes})`);
  const openpgp = await import('openpgp');
  const verificationKeys = await Promise.all(
    options.keys.map(async (armoredKey) => (await openpgp.readKey({ armoredKey })).toPublic()),
  );
  const problems: string[] = [];
  try {
    const message = await openpgp.readCleartextMessage({ cleartextMessage: text });
    const { data, signatures } = await openpgp.verify({ message, verificationKeys });
    for (const { verified } of signatures) {
      const problem = await verified.then(() => undefined, messageOf);
      if (problem === undefined) return data;
      problems.push(problem);
    }
  } catch (error) {
    problems.push(messageOf(error));
  }
  throw untrusted(options, `it has no good signature by a key that cairn trusts (${problems.join('; ')})`);
}

function checkSuite(fields: Stanza, options: ReleaseOptions): void {
  const [suite, codename] = [fields.get('suite'), fields.get('codename')];
  if (suite === options.suite || codename === options.suite) return;
  throw untrusted(options, `it is for ${codename ?? suite ?? 'no suite'}, not for ${options.suite}`);
}

function checkDates(fields: Stanza, options: ReleaseOptions): void {
  const [date, validUntil] = [fields.get('date'), fields.get('valid-until')];
  const now = Date.now();
  const dateMs = Date.parse(date ?? '');
  if (!(dateMs <= now + clockToleranceMs))
    throw untrusted(options, `its date is ${date ?? 'missing'}, and this machine's clock says ${utc(now)}`);
  if (validUntil !== undefined && !(Date.parse(validUntil) >= now))
    throw untrusted(options, `it was valid until ${validUntil}, and this machine's clock says ${utc(now)}`, [
      'If it is meant, as a snapshot of the past is, write `snapshot: true` in the input.',
    ]);
}

// Lines of hash, size, path.
function readFiles(field: string): Release['files'] {
  const lines = field.matchAll(/^\s*([0-9a-f]{64})\s+(\d{1,15})\s+(\S+)$/gm);
  return new Map(
    [...lines].map(([, sha256 = '', size = '', path = '']) => [path, { sha256, sizeBytes: Number(size) }]),
  );
}

function untrusted({ url }: ReleaseOptions, problem: string, hints: readonly string[] = []): UserError {
  const hint = [
    'Nothing was locked. Try another mirror (CAIRN_MIRROR_DEBIAN); check the clock; see engine/lock/debian-keys.',
    ...hints,
  ].join(' ');
  return new UserError('LOCK_SIGNATURE', `${url} cannot be trusted: ${problem}`, {
    hint,
    fault: 'environment',
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function utc(ms: number): string {
  return new Date(ms).toUTCString();
}
