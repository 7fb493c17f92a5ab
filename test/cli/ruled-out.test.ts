// Which CVEs no kernel of an image has the code of: steps that compile kernels, as the store has what they gave.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ruleOut } from '../../cli/images/ruled-out.ts';
import type { Finding } from '../../engine/audit/index.ts';
import type { Outputs } from '../../engine/index.ts';
import { compose, fetchUrl, from, run, unpack, write, type Derivation } from '../../engine/model/index.ts';
import type { Store } from '../../store/index.ts';
import { freshStore } from '../store/fresh-store.ts';
import { treeOf } from '../support/sandbox-run.ts';
import { stepSource } from '../support/steps.ts';
import { linuxFinding } from '../support/linux-finding.ts';
import { tempFolder } from '../support/temp-folder.ts';

const sha256 = 'a'.repeat(64);
const archive = fetchUrl({ name: 'linux.tar', urls: ['https://example.org/linux.tar'], sha256 });
const source = unpack({ name: 'linux', archive });
const kernelNamed = (name: string): Derivation =>
  run({
    name,
    layers: [],
    inputs: { '/source': source, '/config': write({ name: 'config', files: { config: name } }) },
    argv: ['/bin/make'],
    outputs: ['image', 'commands'],
  });
const kernels = { small: kernelNamed('kernel-small'), large: kernelNamed('kernel-large') };
const imageOf = (kernel: Derivation): Derivation =>
  compose({ name: 'img', parts: [from(kernel, { output: 'image' })] });
const images = { small: imageOf(kernels.small), large: imageOf(kernels.large) };
const { steps, idOf } = stepSource(images.small, images.large);

const purl = `pkg:generic/linux@6.12.107?checksum=sha256:${sha256}`;
const finding = linuxFinding({
  purl,
  cves: ['CVE-2026-0001', 'CVE-2026-0002', 'CVE-2026-0003', 'CVE-2026-0004'],
});
const filesOf: Readonly<Record<string, readonly string[]>> = {
  'CVE-2026-0001': ['drivers/one.c'],
  'CVE-2026-0002': ['drivers/two.c'],
  'CVE-2026-0003': ['drivers/one.c', 'drivers/two.c'],
};

let store: Store;
let records: string;
/** What the steps gave, by name; tests take some away. */
let given: Record<string, Outputs>;
beforeEach(async () => {
  store = await freshStore();
  const commandsOf = (...names: readonly string[]) =>
    treeOf(store, {
      commands: names
        .map(
          (name) => `savedcmd_drivers/${name}.o := gcc -c -o drivers/${name}.o /source/drivers/${name}.c\n`,
        )
        .join(''),
    });
  const code = { 'one.c': 'int one;\n', 'two.c': 'int two;\n', Makefile: 'obj-y += one.o two.o\n' };
  given = {
    linux: { out: await treeOf(store, { drivers: code }) },
    'kernel-small': { commands: await commandsOf('one') },
    'kernel-large': { commands: await commandsOf('one', 'two') },
  };
  records = tempFolder('records');
  mkdirSync(join(records, '2026'));
  for (const [id, programFiles] of Object.entries(filesOf)) {
    const record = { cveMetadata: { cveId: id }, containers: { cna: { affected: [{ programFiles }] } } };
    writeFileSync(join(records, '2026', `${id}.json`), JSON.stringify(record));
  }
});

/** Proofs by CVE, and notices. */
async function ruledOut(
  names: readonly (keyof typeof images)[],
  { has = given, found = finding }: { has?: Record<string, Outputs>; found?: Finding } = {},
) {
  const notices: string[] = [];
  const outputsOf = (id: ReturnType<typeof idOf>): Outputs | undefined => has[steps(id).derivation.name];
  const audited = names.map((name) => ({
    key: `${name}@x86_64-linux`,
    id: idOf(images[name]),
    parts: [{ name: 'linux', sha256: [sha256], fixes: [], purl }],
  }));
  const project = { build: { outputsOf }, store, evaluation: { steps } };
  const options = { records, onNotice: (text: string) => void notices.push(text) };
  const proofs = await ruleOut(project, audited, [found], options);
  return { proofs: Object.fromEntries(proofs.get(found) ?? []), notices };
}

describe('a CVE of a kernel is ruled out', () => {
  it('when none of its files was compiled, and said with kernel and files', async () => {
    expect(await ruledOut(['small'])).toEqual({
      proofs: { 'CVE-2026-0002': 'not compiled into kernel-small@x86_64-linux: drivers/two.c' },
      notices: [],
    });
  });

  it('only when it is in no kernel of the images', async () => {
    expect((await ruledOut(['small', 'large'])).proofs).toEqual({});
  });

  it('only when that kernel was built here, which is told', async () => {
    for (const lost of ['kernel-small', 'linux']) {
      const has = Object.fromEntries(Object.entries(given).filter(([name]) => name !== lost));
      const { proofs, notices } = await ruledOut(['small'], { has });
      expect(proofs).toEqual({});
      expect(notices).toEqual([
        'nothing of kernel-small@x86_64-linux is ruled out: it is not built here as it is described now',
      ]);
    }
  });

  it('only when all of what was found is made from the sources of a kernel', async () => {
    const found = { ...finding, purls: [purl, 'pkg:generic/linux@6.1'] };
    expect((await ruledOut(['small'], { found })).proofs).toEqual({});
  });
});
