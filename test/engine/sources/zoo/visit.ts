// A process that downloads the same file from each of many URLs at once, and then has nothing left to do:
// SHA256 SIZE URL…. Prints an object of URL and outcome: "right" or the error's code and message.

import { digestHash } from '../../../../store/base/digest.ts';
import { UserError } from '../../../../store/base/errors.ts';
import { fetchError } from '../../../../engine/sources/fetch-error.ts';
import { PartialFile } from '../../../../engine/sources/sink.ts';
import { transfer } from '../../../../engine/sources/transfer.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [sha256 = '', size = '', ...urls] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'cairn-zoo-'));

async function visit(url: string, index: number): Promise<readonly [string, string]> {
  const { signal } = new AbortController();
  const sink = await PartialFile.open(join(folder, String(index)), signal);
  try {
    const expected = { sha256, sizeBytes: Number(size) };
    const patience = { attempts: 3, backoffMs: 1, connectMs: 2000, idleMs: 2000 };
    const result = await transfer([url], sink, { expected, signal, patience });
    if (result.kind === 'complete')
      return [url, digestHash(result.digest) === sha256 ? 'right' : 'other content'];
    const { code, message } = fetchError(
      { name: 'file', urls: [url], sha256 },
      { failures: result.failures, kept: [] },
    );
    return [url, `${code} ${message}`];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [url, `${error.code} ${error.message}`];
  } finally {
    await sink.close();
  }
}

try {
  console.log(JSON.stringify(Object.fromEntries(await Promise.all(urls.map(visit)))));
} finally {
  rmSync(folder, { recursive: true });
}
