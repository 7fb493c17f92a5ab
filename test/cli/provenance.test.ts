// cairn provenance on the built command line, read by nothing of cairn: the signature by node:crypto, the digests by files themselves.

import { createHash, createPublicKey, verify } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { serve } from '../support/web-server.ts';
import { smallFlake, testProject, type TestProject } from './cairn.ts';

interface Envelope {
  readonly payloadType: string;
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** What is said, when the holder of the key said so (DSSE's protocol). */
function opened({ payloadType, payload, signatures }: Envelope, publicKey: string): Record<string, unknown> {
  const body = Buffer.from(payload, 'base64');
  const message = Buffer.concat([
    Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${body.length} `),
    body,
  ]);
  const x = publicKey.split(':')[1]!.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  expect(verify(undefined, message, key, Buffer.from(signatures[0]!.sig, 'base64'))).toBe(true);
  expect(verify(undefined, body, key, Buffer.from(signatures[0]!.sig, 'base64'))).toBe(false);
  return JSON.parse(body.toString()) as Record<string, unknown>;
}

async function keyOf(project: TestProject): Promise<string> {
  return (await project.run('key', 'generate', 'ci')).stdout.trim();
}

const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

test('names each file that came out and each download that went in, and is signed by whose machine made it', async () => {
  const archive = 'from elsewhere\n';
  const { base } = await serve((_, response) => response.end(archive));
  const project = testProject(
    `const file = fetchUrl({ name: 'file', urls: ['${base}/file'], sha256: '${sha256(archive)}' });
const words = write({ name: 'words', files: { 'share/words': 'one\\n' } });
export default flake({ both: compose({ name: 'both', parts: [{ input: words }, { input: file, at: 'file' }] }) });`,
  );
  const key = await keyOf(project);
  const [before, file] = [Date.now(), join(tempFolder('out'), 'both.intoto.json')];
  expect((await project.run('build', 'both')).status).toBe(0);
  const given = await project.run('provenance', 'both', '-o', file);
  expect([given.status, given.stdout, given.stderr]).toEqual([0, '', '']);
  const envelope = JSON.parse(readFileSync(file, 'utf8')) as Envelope;
  expect(envelope.payloadType).toBe('application/vnd.in-toto+json');
  const statement = opened(envelope, key);
  expect(statement).toMatchObject({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [
      { name: 'file', digest: { sha256: sha256(archive) } },
      { name: 'share/words', digest: { sha256: sha256('one\n') } },
    ],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        externalParameters: { target: expect.stringMatching(/^both@/) as string },
        resolvedDependencies: [{ name: 'file', uri: `${base}/file`, digest: { sha256: sha256(archive) } }],
      },
      runDetails: { builder: { id: `urn:cairn:key:${key}` } },
    },
  });
  const { predicate } = statement as { predicate: { runDetails: { metadata: { finishedOn: string } } } };
  expect(Date.parse(predicate.runDetails.metadata.finishedOn)).toBeGreaterThanOrEqual(before);
  // Another key, or another word, and it says nothing.
  const altered = { ...envelope, payload: Buffer.from('{}').toString('base64') };
  expect(() => opened(altered, key)).toThrow();
});

test('is given by who has built it, and by nobody else', async () => {
  const cache = pathToFileURL(tempFolder('cache')).href;
  const [one, two] = [testProject(smallFlake), testProject(smallFlake)];
  const key = await keyOf(one);
  const unbuilt = await one.run('provenance', 'words');
  expect([unbuilt.status, unbuilt.stderr]).toEqual([1, expect.stringContaining('PROVENANCE_UNKNOWN')]);
  expect((await one.run('build', 'words', '--push', cache)).status).toBe(0);
  const folder = join(String(two.env['HOME']), '.config/cairn');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'caches.json'),
    JSON.stringify({ caches: [{ url: cache }], trust: { keys: [key] } }),
  );
  await keyOf(two);
  expect((await two.run('cache', 'pull', 'words')).status).toBe(0);
  const taken = await two.run('provenance', 'words');
  expect([taken.status, taken.stderr]).toEqual([
    1,
    expect.stringMatching(/it was made by ci, who can say how/),
  ]);
});
