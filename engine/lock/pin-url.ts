// The pin of a plain URL: what is there when it is first locked. Nobody vouches for it, and it says so.

import { digestHash, digestSize } from '../../store/base/digest.ts';
import { UserError } from '../../store/base/errors.ts';
import type { PinnedFile, Url } from '../model/flake.ts';
import { resolveUrls, type Mirrors } from '../sources/mirrors.ts';
import { redactUrl } from '../../store/base/http/redact.ts';
import { HashSink } from '../sources/sink.ts';
import { transfer, type Patience } from '../sources/transfer.ts';

export interface PinUrlOptions {
  readonly mirrors: Mirrors;
  /** The pin there was, if any. */
  readonly before: PinnedFile | undefined;
  readonly onNotice: (message: string) => void;
  readonly signal: AbortSignal;
  readonly patience?: Partial<Patience> | undefined;
}

/** Downloads the file, keeps its hash and throws it away. @throws UserError `FETCH_FAILED` when no URL has it. */
export async function pinUrl(name: string, declaration: Url, options: PinUrlOptions): Promise<PinnedFile> {
  const { mirrors, before, onNotice, signal, patience } = options;
  const urls = declaration.urls.flatMap((url) => resolveUrls(url, mirrors));
  onNotice(`${name}: downloading ${redactUrl(urls[0] ?? '')} to pin it`);
  const result = await transfer(urls, new HashSink(), { expected: {}, signal, patience });
  if (result.kind === 'failed') {
    const list = result.failures.map(({ url, message }) => `\n  ${redactUrl(url)}: ${message}`).join('');
    throw new UserError('FETCH_FAILED', `input "${name}" could not be downloaded${list}`, {
      hint: 'Check the URL and the network.',
      fault: 'environment',
    });
  }
  const sha256 = digestHash(result.digest);
  if (before?.sha256 !== sha256) onNotice(firstUse(name, result.url, sha256));
  return {
    name,
    version: declaration.version ?? sha256.slice(0, 12),
    urls: declaration.urls,
    sha256,
    sizeBytes: digestSize(result.digest),
  };
}

function firstUse(name: string, url: string, sha256: string): string {
  return (
    `${name}: trusted on first use: ${redactUrl(url)} has SHA-256 ${sha256}, which nobody has signed; ` +
    'compare it with what its publisher says'
  );
}
