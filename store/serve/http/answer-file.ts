// One file as the answer to GET and HEAD: whole or a range of it, or that whoever asks has it already. No faster than it is taken.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServedFile } from '../served-file.ts';
import { rangeIn } from './ranges.ts';

export async function answerFile(
  { method, headers }: Pick<IncomingMessage, 'method' | 'headers'>,
  response: ServerResponse,
  file: ServedFile,
): Promise<void> {
  const { sizeBytes } = file;
  const tag = `"${file.tag}"`;
  response.setHeader('etag', tag);
  response.setHeader('accept-ranges', 'bytes');
  response.setHeader('content-type', 'application/octet-stream');
  response.setHeader('cache-control', file.isFixed ? 'public, max-age=31536000, immutable' : 'no-cache');
  if (headers['if-none-match'] === tag) return void response.writeHead(304).end();
  const isCurrent = (headers['if-range'] ?? tag) === tag;
  const range = isCurrent ? rangeIn(headers.range, sizeBytes) : undefined;
  if (range === 'none') {
    response.setHeader('content-range', `bytes */${sizeBytes}`);
    return void response.writeHead(416, { 'content-length': 0 }).end();
  }
  const { from, to } = range ?? { from: 0, to: sizeBytes };
  if (range !== undefined) {
    response.statusCode = 206;
    response.setHeader('content-range', `bytes ${from}-${to - 1}/${sizeBytes}`);
  }
  response.setHeader('content-length', to - from);
  if (method === 'HEAD') return void response.end();
  for await (const chunk of file.chunks(from, to)) {
    if (response.destroyed) return;
    if (!response.write(chunk)) await taken(response);
  }
  response.end();
}

/** Until there is room for more, or nobody takes it any more. */
function taken(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}
