// A zoo of servers and proxies: whatever they do, a download gives the right content or one error with a code, and the
// process that asked comes to its end.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestHash, digestOf } from '../../../../store/base/digest.ts';
import { builtScript } from '../../../support/built-script.ts';
import { tempFolder } from '../../../support/temp-folder.ts';
import { testProject } from '../../../cli/cairn.ts';
import { animals } from './animals.ts';
import { selfSigned } from './certificate.ts';
import { openProxy, openZoo, type Refusal } from './zoo.ts';

// Larger than what the system and Node.js hold back of a connection, so that the writer waits for the reader.
const content = randomBytes(1_500_000);

test.each([
  ['http', 'directly'],
  ['https', 'directly'],
  ['http', 'through a proxy'],
  ['https', 'through a proxy'],
] as const)('%s %s: every server comes to the end it deserves', async (scheme, way) => {
  const identity = scheme === 'https' ? selfSigned() : undefined;
  const port = await openZoo(content, identity);
  const passed: string[] = [];
  const proxy =
    way === 'directly' ? {} : { [`${scheme}_proxy`]: `http://127.0.0.1:${await openProxy(passed)}` };
  const extra = identity === undefined ? {} : { NODE_EXTRA_CA_CERTS: certificateFile(identity.certificate) };
  const names = Object.keys(animals);
  const urls = names.map((name) => `${scheme}://127.0.0.1:${port}/${encodeURIComponent(name)}`);

  const outcomes = await visit(urls, { ...proxy, ...extra });
  const fates = names.map((name, index) => [name, outcomes[urls[index] ?? '']?.split(' ')[0]]);
  expect(Object.fromEntries(fates)).toEqual(
    Object.fromEntries(names.map((name) => [name, animals[name]?.fate])),
  );
  const asked = scheme === 'https' ? `CONNECT 127.0.0.1:${port}` : `GET ${urls[0]}`;
  expect(passed.includes(asked)).toBe(way !== 'directly');
});

test.each<[string, Refusal]>([
  ['wants a password', (socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')],
  ['closes at once', (socket) => socket.end()],
  ['resets', (socket) => socket.resetAndDestroy()],
  ['never answers', () => undefined],
  ['speaks another protocol', (socket) => socket.end('220 mail.example ESMTP\r\n')],
])('a proxy that %s is an error that names it', async (_, refusal) => {
  const address = `127.0.0.1:${await openProxy([], refusal)}`;
  const env = { http_proxy: `http://anna:s3cret@${address}`, https_proxy: `http://anna:s3cret@${address}` };
  const outcomes = await visit(['http://cairn.test/f', 'https://cairn.test/f'], env);
  expect(Object.keys(outcomes)).toHaveLength(2);
  for (const outcome of Object.values(outcomes)) {
    expect(outcome).toMatch(/^FETCH_FAILED/);
    expect(outcome).not.toContain('s3cret');
  }
  expect(outcomes['http://cairn.test/f']).toMatch(/no answer|the proxy .* \(http_proxy\)/);
  expect(outcomes['https://cairn.test/f']).toMatch(/no answer|https_proxy/);
});

test.each(['http', 'https'])('Ctrl-C ends a build whose proxy never answers (%s)', async (scheme) => {
  let tell = (): void => undefined;
  const asked = new Promise<void>((resolve) => (tell = resolve));
  const proxy = `http://127.0.0.1:${await openProxy([], tell)}`;
  const file = `fetchUrl({ name: 'file', urls: ['${scheme}://cairn.test/f'], sha256: '${'0'.repeat(64)}' })`;
  const env = { [`${scheme}_proxy`]: proxy };
  const project = testProject(`export default flake({ file: ${file} });`, env);
  const building = project.start('build', 'file');
  await asked;
  building.process.kill('SIGINT');
  expect((await building.ended).status).toBe(130);
});

/** Downloads from every URL in one process, and waits until it has ended by itself. */
async function visit(urls: readonly string[], env: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  const script = await builtScript(join(import.meta.dirname, 'visit.ts'));
  const args = [script, digestHash(digestOf(content)), String(content.length), ...urls];
  const child = spawn(process.execPath, args, {
    env: { ...withoutProxies(process.env), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errors] = [child.stdout, child.stderr].map((stream) => stream.setEncoding('utf8').toArray());
  const [status] = (await once(child, 'close')) as [number | null];
  expect({ status, errors: (await errors)?.join('') }).toEqual({ status: 0, errors: '' });
  return JSON.parse(((await output) ?? []).join('')) as Record<string, string>;
}

function withoutProxies(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/_proxy$/i.test(name)));
}

function certificateFile(certificate: string): string {
  const path = join(tempFolder(), 'certificate.pem');
  writeFileSync(path, certificate);
  return path;
}
