// A web server that serves a folder and takes PUT, as a WebDAV server does: with entity tags and their conditions. What goes
// wrong on the way is the test's business.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { serve, type WebServer } from './web-server.ts';

export interface CacheServerOptions {
  /** Answers in place of the server, when it says so. */
  readonly instead?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Knows no conditions, as many servers. */
  readonly ignoresConditions?: boolean;
}

export function serveCache(folder: string, options: CacheServerOptions = {}): Promise<WebServer> {
  let parts = 0;
  return serve((request, response) => {
    if (options.instead?.(request, response) === true) return;
    const path = join(folder, decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname));
    if (request.method === 'PUT') {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const tag = existsSync(path) ? tagOf(readFileSync(path)) : undefined;
        const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
        const fails = (match !== undefined && match !== tag) || (noneMatch === '*' && tag !== undefined);
        if (fails && options.ignoresConditions !== true) return void response.writeHead(412).end();
        mkdirSync(dirname(path), { recursive: true });
        const part = `${path}.part-${parts++}`;
        writeFileSync(part, Buffer.concat(chunks));
        renameSync(part, path);
        response.writeHead(201).end();
      });
      return;
    }
    if (!existsSync(path) || !statSync(path).isFile()) return void response.writeHead(404).end();
    const content = readFileSync(path);
    response.setHeader('etag', tagOf(content));
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const rest = content.subarray(start);
    if (start > 0) {
      response.statusCode = 206;
      response.setHeader('content-range', `bytes ${start}-${content.length - 1}/${content.length}`);
    }
    response.setHeader('content-length', rest.length);
    response.end(request.method === 'HEAD' ? undefined : rest);
  });
}

function tagOf(content: Buffer): string {
  return `"${createHash('sha256').update(content).digest('hex').slice(0, 16)}"`;
}
