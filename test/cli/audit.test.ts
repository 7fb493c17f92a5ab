// cairn audit on an image that is nothing but its description: what it writes for scanners, and what it says of records of CVEs.
// What archives list is in test/engine/audit, what kernels have no code of in absent-code.test.ts.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { busyboxFlake, cairnProject } from '../support/cairn-project.ts';

const purl = 'pkg:generic/gzip@1.13?checksum=sha256:aa';
const sources = [{ url: 'https://example.org/gzip', sha256: 'a'.repeat(64) }];
const component = { name: 'gzip', sources, fixes: ['CVE-2026-41991'], bom: { purl } };
const manifest = JSON.stringify({ image: 'img', components: [component] });
const files = `{ 'manifest.json': ${JSON.stringify(manifest)} }`;
const project = () => cairnProject(busyboxFlake(`{ img: write({ name: 'said', files: ${files} }) }`));

it('writes what patches of ours fix, by whoever says so', async () => {
  const here = project();
  const done = await here.run(['audit', 'img', '--vex', 'img.vex.json', '--author', 'security@example.org']);
  expect(done.stderr).toContain('1 statement, in img.vex.json');
  const document = JSON.parse(readFileSync(join(here.folder, 'img.vex.json'), 'utf8')) as object;
  expect(document).toMatchObject({
    author: 'security@example.org',
    statements: [{ vulnerability: { name: 'CVE-2026-41991' }, products: [{ '@id': purl }], status: 'fixed' }],
  });
});

it('says which file or folder cannot be written or read', async () => {
  const records = await project().run(['audit', 'img', '--cve-records', 'nowhere']);
  expect(records).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('nowhere cannot be read') as string,
  });
  const done = await project().run(['audit', 'img', '--vex', 'nowhere/img.vex.json']);
  expect(done).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('nowhere/img.vex.json cannot be written') as string,
  });
});
