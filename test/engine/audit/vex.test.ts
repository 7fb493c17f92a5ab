// What an audit says to scanners, and the records that say which files a CVE is in.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { describe, expect, it, test } from 'vitest';
import {
  filesOfCves,
  judge,
  vexDocument,
  vexStatements,
  type AuditedPart,
} from '../../../engine/audit/index.ts';
import type { Waiver } from '../../../engine/model/flake.ts';
import { linuxFinding } from '../../support/linux-finding.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const purl = 'pkg:generic/linux@6.12.107?checksum=sha256:aa';
const finding = linuxFinding({
  purl,
  cves: ['CVE-2026-0001', 'CVE-2026-0002', 'CVE-2026-0003', 'CVE-2026-0004', 'CVE-2026-0005'],
});
const until = '2026-12-31';
const waivers: readonly Waiver[] = [
  { source: 'linux', cve: 'CVE-2026-0001', reason: 'the next release has it', until },
  { source: 'linux', cve: 'CVE-2026-0002', reason: 'in the release itself', until, claims: 'fixed' },
  { source: 'linux', cve: 'CVE-2026-0003', reason: 'no such hardware', until, claims: 'not-affected' },
];
const absence = 'not compiled into kernel@aarch64-linux: drivers/net/two.c';
const ruledOut = new Map([[finding, new Map([['CVE-2026-0004', absence]])]]);
const parts: readonly AuditedPart[] = [
  { name: 'gzip', sha256: [], fixes: ['CVE-2026-41991', 'CVE-2026-41991'], purl: 'pkg:generic/gzip@1.13' },
  { name: 'unknown', sha256: [], fixes: ['CVE-2026-41992'] },
];

function statementsOf(all: readonly Waiver[] = waivers) {
  return vexStatements(judge([finding], all, '2026-12-01', ruledOut).findings, parts);
}

// What OpenVEX 0.2.0 asks of a statement, field by field; nothing else may be in one.
const said = {
  vulnerability: v.strictObject({ name: v.pipe(v.string(), v.regex(/^CVE-/)) }),
  products: v.pipe(
    v.array(v.strictObject({ '@id': v.pipe(v.string(), v.startsWith('pkg:')) })),
    v.minLength(1),
  ),
  status_notes: v.optional(v.pipe(v.string(), v.nonEmpty())),
};
const text = v.pipe(v.string(), v.nonEmpty());
const statement = v.union([
  v.strictObject({ ...said, status: v.literal('affected'), action_statement: text }),
  v.strictObject({ ...said, status: v.literal('fixed') }),
  v.strictObject({
    ...said,
    status: v.literal('not_affected'),
    justification: v.picklist(['component_not_present', 'vulnerable_code_not_present']),
  }),
  v.strictObject({ ...said, status: v.literal('not_affected'), impact_statement: text }),
]);
const openVex = v.strictObject({
  '@context': v.literal('https://openvex.dev/ns/v0.2.0'),
  '@id': v.pipe(
    v.string(),
    v.regex(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
  ),
  author: text,
  timestamp: v.pipe(v.string(), v.isoTimestamp()),
  version: v.literal(1),
  tooling: text,
  statements: v.array(statement),
});

const meta = {
  author: 'security@example.org',
  timestamp: '2026-12-01T10:00:00.000Z',
  tooling: 'cairn audit',
};

test('a document is one of OpenVEX, whose id follows from what it says', () => {
  const document = vexDocument(statementsOf(), meta);
  expect(v.parse(openVex, document).statements).toHaveLength(6);
  expect(vexDocument(statementsOf(), meta)['@id']).toBe(document['@id']);
  expect(vexDocument(statementsOf([]), meta)['@id']).not.toBe(document['@id']);
});

describe('of a CVE it is said', () => {
  const about = (cve: string, all?: readonly Waiver[]) =>
    statementsOf(all).filter(({ vulnerability }) => vulnerability.name === cve);
  const products = [{ '@id': purl }];

  it('that a patch of ours fixes it, of parts that scanners can know', () => {
    expect(about('CVE-2026-41991')).toEqual([
      {
        vulnerability: { name: 'CVE-2026-41991' },
        products: [{ '@id': 'pkg:generic/gzip@1.13' }],
        status: 'fixed',
        status_notes: 'a patch that its build applies fixes it',
      },
    ]);
    expect(about('CVE-2026-41992')).toEqual([]);
  });

  it('that it is open, with what has it fixed, and that it is open and let be, with the reason and the day', () => {
    expect(about('CVE-2026-0005')).toMatchObject([
      {
        products,
        status: 'affected',
        action_statement:
          "Debian's linux 6.12.118-1 names it as fixed; what is built here has none of its patches",
      },
    ]);
    expect(about('CVE-2026-0001')).toMatchObject([
      { products, status: 'affected', action_statement: 'let be until 2026-12-31: the next release has it' },
    ]);
  });

  it('what a waiver claims in so many words, and nothing of that once it has expired', () => {
    expect(about('CVE-2026-0002')).toMatchObject([
      { status: 'fixed', status_notes: 'in the release itself' },
    ]);
    expect(about('CVE-2026-0003')).toMatchObject([
      { status: 'not_affected', impact_statement: 'no such hardware' },
    ]);
    const expired = waivers.map((waiver) => ({ ...waiver, until: '2026-11-30' }));
    for (const cve of ['CVE-2026-0002', 'CVE-2026-0003'])
      expect(about(cve, expired)).toMatchObject([{ status: 'affected' }]);
  });

  it('that what was built has no code of it, with the proof', () => {
    expect(about('CVE-2026-0004')).toMatchObject([
      {
        products,
        status: 'not_affected',
        justification: 'vulnerable_code_not_present',
        status_notes: absence,
      },
    ]);
  });

  it('that it is let be where all of its source is, unless a waiver of its own says more', () => {
    const all: readonly Waiver[] = [{ source: 'linux', reason: 'nobody reaches it', until }, ...waivers];
    expect(about('CVE-2026-0005', all)).toMatchObject([
      { status: 'affected', action_statement: 'let be until 2026-12-31: nobody reaches it' },
    ]);
    expect(about('CVE-2026-0002', all)).toMatchObject([{ status: 'fixed' }]);
    expect(about('CVE-2026-0004', all)).toMatchObject([{ status: 'not_affected' }]);
  });
});

test('what is ruled out is not open, and a waiver of it is not needed', () => {
  const waiver = { source: 'linux', cve: 'CVE-2026-0004', reason: 'x', until };
  const { findings, unused } = judge([finding], [waiver], '2026-12-01', ruledOut);
  expect(findings[0]!.openCves).toEqual(finding.cves.filter((cve) => cve !== waiver.cve));
  expect(unused).toEqual([waiver]);
});

describe('records of CVEs', () => {
  const record = (id: string, ...files: readonly (readonly string[] | undefined)[]): string =>
    JSON.stringify({
      dataType: 'CVE_RECORD',
      cveMetadata: { cveId: id, state: 'PUBLISHED' },
      containers: { cna: { affected: files.map((programFiles) => ({ product: 'Linux', programFiles })) } },
    });
  function folderWith(files: Readonly<Record<string, string>>): string {
    const folder = tempFolder('records');
    mkdirSync(join(folder, 'published/2026'), { recursive: true });
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(folder, 'published/2026', name), content);
    return folder;
  }
  const wanted = (...ids: readonly string[]) => new Set(ids);

  it('say which files each is in, wherever they are below the folder; those of others are not read', async () => {
    const folder = folderWith({
      'CVE-2026-0001.json': record('CVE-2026-0001', ['fs/b.c', 'fs/a.c'], ['fs/a.c']),
      'CVE-2026-0002.json': 'not asked for',
      'CVE-2026-0001.mbox': 'a mail',
    });
    expect(await filesOfCves(folder, wanted('CVE-2026-0001', 'CVE-2026-0009'))).toEqual(
      new Map([['CVE-2026-0001', ['fs/a.c', 'fs/b.c']]]),
    );
  });

  it('say nothing where one of what is affected names no files', async () => {
    const folder = folderWith({
      'CVE-2026-0001.json': record('CVE-2026-0001', ['fs/a.c'], undefined),
      'CVE-2026-0002.json': record('CVE-2026-0002'),
    });
    expect(await filesOfCves(folder, wanted('CVE-2026-0001', 'CVE-2026-0002'))).toEqual(new Map());
  });

  it.each([
    [
      'of another CVE',
      { 'CVE-2026-0001.json': record('CVE-2026-0002', ['a.c']) },
      'is the record of CVE-2026-0002',
    ],
    ['that are no JSON', { 'CVE-2026-0001.json': '{' }, 'is no record of a CVE'],
    ['in another form', { 'CVE-2026-0001.json': '{"CVE_data_meta": {}}' }, 'is no record of a CVE'],
    ['that are not there', { 'readme.json': '{}' }, 'has no record of a CVE'],
  ])('%s are an error that names them', async (_, files, what) => {
    await expect(filesOfCves(folderWith(files), wanted('CVE-2026-0001'))).rejects.toMatchObject({
      code: 'CVE_RECORDS_INVALID',
      message: expect.stringContaining(what) as string,
    });
  });
});
