// Downloads over the lives of several processes.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { builtScript } from '../../support/built-script.ts';
import { sendRange, serve } from '../../support/web-server.ts';
import { partialOf, sharedStore, someFile } from './fetching.ts';

const store = sharedStore();

test('after kill -9 the next process waits for nobody, continues the download and keeps it', async () => {
  const { content, digest, request } = someFile(3_000_000);
  const server = await serve((asked, response) => {
    if (server.requests.length > 1) {
      sendRange(asked, response, { content });
      return;
    }
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 1_000_000));
  });
  const url = `${server.base}/file`;
  const args = [store().path, url, request.sha256, String(content.length)];

  const killed = await fetchProcess(args);
  while (sizeOf(partialOf(store(), request)) < 1_000_000)
    await new Promise((resolve) => setTimeout(resolve, 20));
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  expect(store().blobs.has(digest)).toBe(false);

  expect(await outputOf(await fetchProcess(args))).toBe(`${digest}\n`);
  expect(server.requests).toEqual(['GET /file', 'GET /file bytes=1000000-']);
  expect(Buffer.compare(await store().blobs.read(digest), content)).toBe(0);
});

test('of two processes that want one file at once, each ends with it', async () => {
  const { content, digest, request } = someFile(2_000_000);
  const server = await serve((asked, response) => sendRange(asked, response, { content }));
  const args = [store().path, server.base, request.sha256, String(content.length)];
  const both = await Promise.all([0, 1].map(async () => outputOf(await fetchProcess(args))));
  expect(both).toEqual([`${digest}\n`, `${digest}\n`]);
  expect(Buffer.compare(await store().blobs.read(digest), content)).toBe(0);
});

async function fetchProcess(args: readonly string[]): Promise<ChildProcess> {
  const script = await builtScript(join(import.meta.dirname, 'fetch-process.ts'));
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

async function outputOf(child: ChildProcess): Promise<string> {
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(child, 'close');
  return output;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
