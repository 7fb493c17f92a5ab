// A real HTTP server on this machine for one test: what it serves and how it misbehaves is the test's business.

import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { isErrno } from '../../store/base/errors.ts';

export interface WebServer {
  /** `http://127.0.0.1:PORT`, without a trailing slash. */
  readonly base: string;
  /** Every request so far, as `METHOD /path`, with ` bytes=N-` when a range was asked for. */
  readonly requests: readonly string[];
  /** Stops listening and drops every connection. Called when the test ends, too. */
  close(): Promise<void>;
}

/** Starts a server that answers with `answer`. */
export async function serve(answer: RequestListener): Promise<WebServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push([request.method, request.url, request.headers.range].filter(Boolean).join(' '));
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(close);
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, close };
}

/** A plain static file server, as any is, but for ranges. */
export function serveFolder(folder: string): Promise<WebServer> {
  return serve((request, response) => {
    try {
      response.end(readFileSync(join(folder, decodeURIComponent(request.url ?? ''))));
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'EISDIR', 'ENOTDIR')) throw error;
      response.writeHead(404).end();
    }
  });
}

/** Answers with `content`, or the part of it that is asked for (RFC 9110 §14), for as long as `tag` is what it was. */
export function sendRange(
  request: IncomingMessage,
  response: ServerResponse,
  { content, tag = '"1"' }: { readonly content: Buffer; readonly tag?: string },
): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const isCurrent = (request.headers['if-range'] ?? tag) === tag;
  const rest = isCurrent ? content.subarray(start) : content;
  if (start > 0 && isCurrent) {
    if (rest.length === 0)
      return void response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    response.statusCode = 206;
    response.setHeader('content-range', `bytes ${start}-${content.length - 1}/${content.length}`);
  }
  response.setHeader('etag', tag);
  response.setHeader('content-length', rest.length);
  response.end(rest);
}
