// Images made of small folders by the real steps, and looked at with the tools of their file systems: inspect.sh writes
// them to a card and fails unless the card has clean file systems with exactly the files they were made of.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseBlockMap } from '../../../cli/flash/block-map.ts';
import type { Layout } from '../../../cli/images/description.ts';
import { pinnedFiles } from '../../../engine/model/index.ts';
import { isSpdxExpression } from '../../../derivations/images/spdx.ts';
import { stepsThat } from '../../support/cairn-project.ts';
import { commitAll } from '../../support/git-project.ts';
import {
  imageProjects,
  writeFiles,
  type Built,
  type Files,
  type ImageProject,
  type ImageProjects,
} from '../../support/image-project.ts';
import { pins } from '../../support/package-set.ts';
import { describeBadImages } from './bad-images.ts';
import { describeBootNames } from './boot-names.ts';

let projects: ImageProjects;
let usual: Built;
beforeAll(async () => {
  projects = imageProjects();
  usual = await projects
    .project()
    .build('mbr', 'gpt', 'mbr-report', 'gpt-report', 'mbr-direct', 'gpt-direct');
});
afterAll(() => projects.close());

interface Manifest {
  readonly sizeBytes: number;
  readonly usedBytes: number;
  readonly partitions: readonly {
    readonly role: string;
    readonly uuid: string;
    readonly offsetBytes: number;
    readonly usedBytes: number;
  }[];
  readonly components: readonly Readonly<Record<string, unknown>>[];
}

/** The text of a file, and what is in it. */
const textOf = (folder: string, name: string): string => readFileSync(join(folder, name), 'utf8');
const jsonOf = (folder: string, name: string): unknown => JSON.parse(textOf(folder, name));
const manifestOf = (folder: string): Manifest => jsonOf(folder, 'manifest.json') as Manifest;

const noticesOf = (folder: string): string =>
  gunzipSync(readFileSync(join(folder, 'mbr.notices.txt.gz'))).toString();

/** A partition's id, as the file system has it. */
function uuidOf(folder: string, role: string): string | undefined {
  return manifestOf(folder).partitions.find((partition) => partition.role === role)?.uuid;
}

describe.each(['mbr', 'gpt'])('an image with a table of kind %s', (table) => {
  it('written by its block map over something else, is a card with clean file systems and the same files', () => {
    const report = usual.folder(`${table}-report`);
    expect(textOf(report, 'verify')).toContain('No errors detected.');
    expect(textOf(report, 'fsck.ext4')).toMatch(/Pass 5.*\nroot: \d+\/\d+ files/);
    expect(textOf(report, 'fsck.fat')).toMatch(/: 11 files, /);
  });

  it('keeps two blocks of a hundred for root', () => {
    const told = textOf(usual.folder(`${table}-report`), 'root');
    const [reserved, all] = ['Reserved block count', 'Block count'].map((name) =>
      Number(new RegExp(`^${name}: *(\\d+)$`, 'm').exec(told)?.[1]),
    );
    expect(reserved).toBe(Math.floor((all! * 2) / 100));
  });

  it('has owners, modes and set-user-id bits as its attributes say', () => {
    const report = usual.folder(`${table}-report`);
    const owners = textOf(report, 'owners').split('\n');
    expect(owners).toEqual(
      expect.arrayContaining([
        '104755 0 0 usr/bin/su',
        '102755 0 42 usr/bin/chage',
        '100755 0 0 usr/bin/same as su',
        '100640 0 42 etc/shadow',
        '100644 0 0 etc/hostname',
        '040700 1000 100000 home/me',
        '041777 0 0 tmp',
        '040755 0 0 usr',
        '120777 0 0 usr/lib/libx.so.1',
      ]),
    );
  });

  it('has the names and ids that its manifest says, and partitions where cards like them', () => {
    const [folder, report] = [usual.folder(table), usual.folder(`${table}-report`)];
    expect(textOf(report, 'boot')).toContain('is BOOT');
    expect(textOf(report, 'boot')).toContain(`Serial Number is ${uuidOf(folder, 'boot')}`);
    expect(textOf(report, 'root')).toMatch(/volume name: +root\n/);
    expect(textOf(report, 'root')).toContain(`UUID:          ${uuidOf(folder, 'root')}`);
    const { partitiontable } = jsonOf(report, 'table.json') as {
      partitiontable: { label: string; partitions: { start: number; type: string }[] };
    };
    expect(partitiontable.label).toBe(table === 'mbr' ? 'dos' : 'gpt');
    expect(partitiontable.partitions.map(({ start }) => start * 512)).toEqual(
      manifestOf(folder).partitions.map(({ offsetBytes }) => offsetBytes),
    );
    for (const { start } of partitiontable.partitions) expect(start % 8192).toBe(0);
  });

  it('has a block map with right checksums that leaves out nothing but zeros', () => {
    const folder = usual.folder(table);
    const image = readFileSync(join(folder, `${table}.img`));
    const map = textOf(folder, `${table}.bmap`);
    const own = /<BmapFileChecksum> (\w{64}) /.exec(map)![1]!;
    expect(sha256(Buffer.from(map.replace(own, '0'.repeat(64))))).toBe(own);
    for (const { startByte, sizeBytes, checksum } of parseBlockMap(map, {
      what: 'map',
      sizeBytes: image.length,
    })) {
      const range = image.subarray(startByte, startByte + sizeBytes);
      expect(checksum).toEqual({ algorithm: 'sha256', hex: sha256(range) });
      range.fill(0);
    }
    expect(image.every((byte) => byte === 0)).toBe(true);
  });
});

interface Spdx {
  readonly packages: readonly {
    readonly SPDXID: string;
    readonly name: string;
    readonly licenseDeclared: string;
    readonly comment?: string;
  }[];
  readonly relationships: readonly Readonly<
    Record<'spdxElementId' | 'relationshipType' | 'relatedSpdxElement', string>
  >[];
  readonly hasExtractedLicensingInfos: readonly { readonly licenseId: string }[];
}

describe('what an image says of itself', () => {
  it('is a manifest with version, licence, source and digest of every component', () => {
    const { components, partitions, usedBytes } = manifestOf(usual.folder('mbr'));
    const [linux] = pins['linux']!;
    expect(usedBytes).toBe(partitions.reduce((sum, partition) => sum + partition.usedBytes, 0));
    expect(components).toEqual([
      expect.objectContaining({ name: 'configuration', licence: 'Apache-2.0' }),
      {
        name: 'kernel',
        version: linux!.version,
        licence: 'GPL-2.0-only WITH Linux-syscall-note',
        sources: pinnedFiles([linux!]).map(({ urls, sha256 }) => ({ url: urls[0], sha256 })),
        digest: expect.stringMatching(/^[0-9a-f]{64}\/\d+$/) as string,
        sizeBytes: 600_000,
        files: 2,
      },
      expect.objectContaining({
        name: 'tools',
        licence: 'GPL-2.0-or-later AND LicenseRef-public-domain',
        digest: expect.stringMatching(/^[0-9a-f]{64}\/\d+$/) as string,
      }),
    ]);
  });

  it('is a list of all files, each with the component that it came with', () => {
    const files = jsonOf(usual.folder('mbr'), 'files.json') as Record<string, unknown>[];
    const one = (path: string): unknown => files.find((file) => file['path'] === path);
    expect(one('boot/kernel/kernel8.img')).toMatchObject({ component: 'kernel', sizeBytes: 300_000 });
    expect(one('boot/EFI/BOOT/BOOTAA64.EFI')).toMatchObject({ component: 'kernel' });
    expect(one('usr/bin/same as su')).toMatchObject({
      component: 'tools',
      sha256: sha256(Buffer.from('su')),
    });
    expect(one('usr/lib/libx.so.1')).toMatchObject({ component: 'tools', target: 'libx.so.1.0' });
    expect(one('usr/bin/chage')).toMatchObject({ mode: '2755', gid: 42 });
    expect(one('etc/shadow')).toMatchObject({ mode: '0640', gid: 42 });
    expect(one('boot/kernel/kernel8.img')).not.toHaveProperty('mode');
    expect(one('etc/hostname')).toMatchObject({ component: 'configuration' });
    expect(files).toHaveLength(419);
  });

  it('is a file with the notices of all that it is made of, each text once', () => {
    const [head, ...parts] = noticesOf(usual.folder('mbr')).split(/^=+\n/m);
    expect(head).not.toContain('No text came');
    const titles = parts.map((part) => part.split('\n')[0]);
    expect(titles).toEqual([
      'configuration (Apache-2.0)',
      expect.stringMatching(/^kernel 6\.12\.\d+ \(GPL-2\.0-only WITH Linux-syscall-note\)$/),
      'tools 1.0-2 (GPL-2.0-or-later AND LicenseRef-public-domain)',
    ]);
    expect(
      parts[1]!
        .replaceAll(/\n+-+\n/g, '\n# ')
        .split('\n')
        .slice(1),
    ).toEqual([
      '# kernel: COPYING',
      '',
      'Linux: many people.',
      '# kernel: LICENSES/preferred/first',
      '',
      'One of many.',
      '# kernel: LICENSES/preferred/second, the same as kernel: LICENSES/preferred/first',
      '',
      '',
    ]);
    expect(parts[2]).toContain('tools: copyright\n\nSome people made it.\n');
    // What many have in common is told after all, for whoever names it: the text of tools, and the terms of the configuration.
    for (const [name, title] of [
      ['Apache-2.0', 'Apache License'],
      ['GPL-2', 'GNU GENERAL PUBLIC LICENSE'],
    ])
      expect(parts[2]).toMatch(new RegExp(`^-+\n/usr/share/common-licenses/${name}\n\\s+${title}\n`, 'm'));
    expect(parts[2]).not.toContain('common-licenses/GPL-3\n');
  });

  it('names at the head of its notices what came from elsewhere without a text', async () => {
    const project = projects.project();
    project.edit("name: 'tools',\n    version", "name: 'others',\n    version");
    const other = await project.build('mbr');
    expect(noticesOf(other.folder('mbr'))).toContain('their sources have to be asked: others.\n');
  });

  it("is a bill of materials that CycloneDX's own schema finds valid", async () => {
    const bill = textOf(usual.folder('mbr'), 'mbr.cdx.json');
    expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(bill)).toBeNull();
    const { components, metadata } = JSON.parse(bill) as {
      components: Record<string, unknown>[];
      metadata: { component: Record<string, unknown> };
    };
    const references = [metadata.component, ...components].map((one) => one['bom-ref']);
    expect(new Set(references).size).toBe(references.length);
    expect(components.find(({ name }) => name === 'tools')).toMatchObject({
      purl: 'pkg:deb/debian/tools@1.0-2?arch=arm64&distro=debian-13',
      supplier: { name: 'Debian' },
      licenses: [{ expression: 'GPL-2.0-or-later AND LicenseRef-public-domain' }],
    });
  });

  it('is the same in the words of SPDX', () => {
    const document = jsonOf(usual.folder('mbr'), 'mbr.spdx.json') as Spdx;
    expect(document).toMatchObject({
      spdxVersion: 'SPDX-2.3',
      dataLicense: 'CC0-1.0',
      SPDXID: 'SPDXRef-DOCUMENT',
      creationInfo: { created: '1980-01-01T00:00:00Z' },
      documentNamespace: expect.stringMatching(/^urn:uuid:[0-9a-f-]{36}$/) as string,
    });
    const { packages, relationships, hasExtractedLicensingInfos } = document;
    expect(packages.map(({ name }) => name)).toEqual(['mbr', 'configuration', 'kernel', 'tools']);
    expect(packages[0]).toMatchObject({
      primaryPackagePurpose: 'OPERATING-SYSTEM',
      checksums: [
        { algorithm: 'SHA256', checksumValue: sha256(readFileSync(join(usual.folder('mbr'), 'mbr.img'))) },
      ],
    });
    expect(packages[3]).toMatchObject({
      versionInfo: '1.0-2',
      supplier: 'Organization: Debian',
      licenseDeclared: 'GPL-2.0-or-later AND LicenseRef-public-domain',
      externalRefs: [
        { referenceType: 'purl', referenceLocator: 'pkg:deb/debian/tools@1.0-2?arch=arm64&distro=debian-13' },
      ],
    });
    const ids = packages.map(({ SPDXID }) => SPDXID);
    expect(ids.filter((id) => !/^SPDXRef-[A-Za-z0-9.-]+$/.test(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
    expect(
      relationships.map((one) => [one.spdxElementId, one.relationshipType, one.relatedSpdxElement]),
    ).toEqual([
      ['SPDXRef-DOCUMENT', 'DESCRIBES', ids[0]],
      ...ids.slice(1).map((id) => [ids[0], 'CONTAINS', id]),
    ]);
    const licences = packages.map(({ licenseDeclared }) => licenseDeclared);
    expect(licences.filter((one) => one !== 'NOASSERTION' && !isSpdxExpression(one))).toEqual([]);
    expect(hasExtractedLicensingInfos.map(({ licenseId }) => licenseId)).toEqual([
      'LicenseRef-public-domain',
    ]);
  });
});

describe('an image whose kernel is made from a folder of this machine', () => {
  const files = { Makefile: 'VERSION = 6\n', '.gitignore': '# objects\n*.o\n' };

  it('says what the folder holds, in the manifest and in both bills of materials', async () => {
    const project = projects.project({ linux: files });
    const override = ['--override', 'linux=linux'];
    const ran = await project.run(['build', 'mbr', '--json', ...override]);
    expect(ran.status, ran.stderr).toBe(0);
    const tree = ran.events.find(({ type }) => type === 'local-source')!['tree'] as string;
    expect(tree).toMatch(/^[0-9a-f]{64}\/\d+$/);
    // Nothing else of this image is made from it.
    expect(stepsThat('built', ran)).toContain('mbr-manifest');
    expect(stepsThat('built', ran).filter((name) => /partition|contents|layout|disk/.test(name))).toEqual([]);

    const said = async (name: string): Promise<string> =>
      (await project.run(['cat', `mbr/${name}`, ...override])).stdout;
    const { components } = JSON.parse(await said('manifest.json')) as Manifest;
    expect(components.map(({ name, sources }) => [name, sources])).toEqual([
      ['configuration', []],
      ['kernel', [{ input: 'linux', tree }]],
      ['tools', [expect.objectContaining({ sha256: 'bb'.repeat(32) })]],
    ]);
    const bill = await said('mbr.cdx.json');
    expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(bill)).toBeNull();
    const entries = (JSON.parse(bill) as { components: Record<string, unknown>[] }).components;
    const notes = `made from a local folder in place of the input linux: tree ${tree}`;
    expect(entries.find(({ name }) => name === 'kernel')).toMatchObject({
      version: 'local',
      pedigree: { notes },
      externalReferences: [],
      properties: expect.arrayContaining([{ name: 'cairn:input:linux', value: tree }]) as unknown,
    });
    expect(entries.filter((one) => 'pedigree' in one)).toHaveLength(1);
    const { packages } = JSON.parse(await said('mbr.spdx.json')) as Spdx;
    expect(packages.map((one) => [one.name, one.comment])).toEqual([
      ['mbr', undefined],
      ['configuration', undefined],
      ['kernel', notes],
      ['tools', undefined],
    ]);
  });

  it('has the same bytes from every folder that holds the same, of whatever commit, by whatever name', async () => {
    const [one, other] = [projects.project({ linux: files }), projects.project({ copy: files })];
    other.edit(
      '  inputs,\n  targets',
      "  inputs: { ...inputs, linux: { kind: 'local', path: './copy' } },\n  targets",
    );
    commitAll(join(other.folder, 'copy'));
    writeFiles(other.folder, { copy: { 'main.o': 'ignored' } });
    const sums = async (project: ImageProject, ...words: readonly string[]): Promise<readonly string[]> => {
      await project.run(['build', 'mbr', ...words]);
      const { status, stdout, stderr } = await project.run(['cat', 'mbr/SHA256SUMS', ...words]);
      expect(status, stderr).toBe(0);
      return stdout.split('\n');
    };
    const first = await sums(one, '--override', 'linux=linux');
    expect(await sums(other)).toEqual(first);

    writeFiles(other.folder, { copy: { Makefile: 'VERSION = 7\n' } });
    const changed = (await sums(other)).filter((line) => !first.includes(line));
    expect(changed.map((line) => line.replace(/^\S+ +/, ''))).toEqual([
      'manifest.json',
      'mbr.cdx.json',
      'mbr.spdx.json',
    ]);
  });
});

describe('an image made again', () => {
  it('has the same bytes in another folder, for another user, at another time, with other cores', async () => {
    const checked = await projects.project().run(['check', 'mbr', 'gpt']);
    expect(checked.status, checked.stdout + checked.stderr).toBe(0);
    expect(checked.stdout).toMatch(/^(\d+) steps built again: \1 identical$/m);
  });

  it.each<[string, Files, string, string]>([
    ['a file that firmware reads', { boot: { 'config.txt': 'arm_64bit=0\n' } }, 'boot', 'root'],
    ['a file of the root', { root: { etc: { hostname: 'other\n' } } }, 'root', 'boot'],
    ['the owner of one', { attributes: { 'attributes.json': '{ "tmp": { "uid": 1 } }' } }, 'root', 'boot'],
  ])('for %s makes one partition anew, with an id of its own', async (_, change, role, other) => {
    const made = await projects.project(change).build('mbr');
    expect(made.steps).toContain(`mbr-${role}-partition`);
    expect(made.steps).not.toContain(`mbr-${other}-partition`);
    const [before, after] = [usual.folder('mbr'), made.folder('mbr')];
    expect(uuidOf(after, role)).not.toBe(uuidOf(before, role));
    expect(uuidOf(after, other)).toBe(uuidOf(before, other));
  });
});

describe('what starts an image without its firmware', () => {
  it.each(['mbr', 'gpt'])('has the partitions and their table, and the kernel beside them: %s', (table) => {
    const [direct, image] = [usual.folder(`${table}-direct`), usual.folder(table)];
    const names = table === 'gpt' ? ['table-copy.part'] : [];
    expect(readdirSync(direct).sort()).toEqual(
      [
        'boot.part',
        'direct.json',
        'kernel',
        'layout.json',
        'root.part',
        'run.json',
        'table.part',
        ...names,
      ].sort(),
    );
    expect(jsonOf(direct, 'direct.json')).toEqual({ commandLine: 'root=PARTUUID=5a3c1f00-02' });
    const { parts } = jsonOf(direct, 'layout.json') as Layout;
    const root = parts.find(({ file }) => file === 'root.part')!;
    const part = readFileSync(join(direct, 'root.part'));
    const offset = manifestOf(image).partitions.find(({ role }) => role === 'root')!.offsetBytes;
    const disk = readFileSync(join(image, `${table}.img`));
    expect(root.offsetBytes).toBe(offset);
    expect(disk.subarray(offset, offset + part.length).equals(part)).toBe(true);
  });

  it('is made anew for another kernel without making a partition', async () => {
    const change = { boot: { kernel: { 'kernel8.img': 'another kernel' } } };
    const made = await projects.project(change).build('mbr-direct');
    expect(made.steps.filter((name) => /partition|layout/.test(name))).toEqual([]);
    expect(textOf(made.folder('mbr-direct'), 'kernel')).toBe('another kernel');
  });
});

describe('names in a boot partition', () => describeBootNames(() => projects));

describe('what cannot be an image', () => describeBadImages(() => projects));

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
