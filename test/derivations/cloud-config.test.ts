// What a person may write in user-data: the shipped example asks for nothing that a server does not do, and whatever else they
// ask for is named to them.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cards } from '../../derivations/packages/index.ts';
import { firstBootFiles } from '../../derivations/images/first-boot-files.ts';
import { keysOfModules } from '../../derivations/system/features/cloud-init.ts';
import { systems, type Feature } from '../../derivations/system/index.ts';
import { mergeFeatures } from '../../derivations/system/merge-features.ts';
import type { Node } from '../../store/index.ts';
import { unheededModule } from '../../derivations/system/programs/index.ts';
import { filesOf } from '../support/composed-files.ts';
import { unpackPins } from '../support/debian-files.ts';
import { pythonFixture, type PythonFixture } from '../support/python-tools.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { scriptRequest, textOf, treeOf } from '../support/sandbox-run.ts';

const servers = Object.entries(systems('aarch64-linux')).filter(([name]) => name !== 'tiny');
function file(features: readonly Feature[], path: string): string {
  const text = mergeFeatures('test', features).files[path];
  if (typeof text !== 'string') throw new Error(`no feature has ${path} as text`);
  return text;
}
const knownKeys = (features: readonly Feature[]): readonly string[] =>
  JSON.parse(file(features, 'usr/lib/cairn/cloud-config-keys.json')) as string[];
const modulesOf = (features: readonly Feature[]): readonly string[] =>
  [...file(features, 'etc/cloud/cloud.cfg').matchAll(/^cloud_\w+_modules: \[(.*)\]$/gm)].flatMap(([, list]) =>
    list!.split(', '),
  );

const hasDocker = (features: readonly Feature[]): boolean =>
  features.some(({ prebuilt = [] }) => prebuilt.includes('docker'));
const shipped = (features: readonly Feature[]): Readonly<Record<string, string>> =>
  filesOf(firstBootFiles({ hasDocker: hasDocker(features) }));

let fixture: PythonFixture;
let yaml: Node;
beforeAll(async () => {
  fixture = await pythonFixture();
  const folder = mkdtempSync(join(tmpdir(), 'cairn-yaml-'));
  try {
    await unpackPins('cloud-init-x86_64-linux', ['python3-yaml'], folder);
    const batch = fixture.store.begin();
    yaml = await batch.takeFolder(join(folder, 'usr/lib/python3/dist-packages'));
    await batch.commit();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
afterAll(() => fixture.close());

/** An example is behind a "#" that no single blank follows. */
const isExample = (line: string): boolean => line !== '#cloud-config' && /^#(?:\S|\s\s)/.test(line);

describe.each(servers)('the example of user-data, in %s', (_, { features }) => {
  /** What it offers at the top of a cloud-config, behind a "#" or not. */
  const offered = [...shipped(features)['user-data']!.matchAll(/^#?([a-z_]+):/gm)].map(([, key]) => key!);

  it('asks for nothing that is not done', () => {
    expect(offered).toEqual(['hostname', 'users', 'timezone', 'write_files', 'runcmd']);
    expect(knownKeys(features)).toEqual(expect.arrayContaining(offered));
  });

  it('names time zones and a shell that are there', () => {
    const text = shipped(features)['user-data'];
    expect(text).toContain('#timezone: Europe/Berlin\n');
    expect(features.flatMap(({ prebuilt }) => prebuilt ?? [])).toContain('time-zones');
    expect(text).toContain('#    shell: /bin/bash\n');
    expect(file(features, 'etc/shells').split('\n')).toContain('/bin/bash');
  });

  it('is read by modules that run: each key belongs to one of them', () => {
    const modules = modulesOf(features);
    expect(modules[0]).toBe('unheeded');
    expect(modules).toEqual(expect.arrayContaining(Object.keys(keysOfModules)));
  });
});

it.each(['packages', 'ca_certs', 'ssh_import_id', 'locale', 'package_update', 'apt', 'snap', 'growpart'])(
  '"%s" is among the keys that are named, for no module does it',
  (key) => {
    for (const [, { features }] of servers) expect(knownKeys(features)).not.toContain(key);
  },
);

describe('what comes to nothing is named, once and alone', () => {
  /** What is said of files on the boot partition, and of what cloud-init made of them. */
  async function said(files: Readonly<Record<string, Buffer | string>>, config = '{}'): Promise<string> {
    const settings = 'CFG_BUILTIN = {"warnings": {}}\nPER_INSTANCE = "once-per-instance"\n';
    const module = unheededModule
      .replace('/usr/lib/cairn/', '/program/')
      .replace('/var/lib/cloud/seed/nocloud', '/seed');
    const folder = tempFolder('seed');
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    const batch = fixture.store.begin();
    const seed = await batch.takeFolder(folder);
    await batch.commit();
    const program = await treeOf(fixture.store, {
      cloudinit: { '__init__.py': '', 'settings.py': settings },
      'unheeded.py': module,
      'cloud-config-keys.json': JSON.stringify(['runcmd']),
      'try.py': `import logging, sys\nlogging.basicConfig(stream=sys.stdout, format='%(levelname)s %(message)s')\nimport unheeded\nunheeded.handle('', ${config}, None, [])\n`,
    });
    const request = scriptRequest(fixture, 'python3 /program/try.py', {
      layers: [fixture.root, fixture.tools.digest],
      inputs: [
        { path: '/program', node: program },
        { path: '/seed', node: seed },
        { path: '/yaml', node: yaml },
      ],
      env: { PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: '/yaml' },
    });
    return textOf(fixture.executor, request);
  }

  it('of keys those that no module knows', async () => {
    const says = (key: string): string =>
      `WARNING user-data asks for "${key}", which nothing on this machine does: it is left undone\n`;
    expect(await said({}, '{"packages": ["vim"], "runcmd": [], "warnings": {}, 7: 0}')).toBe(
      says('7') + says('packages'),
    );
  });

  const config = '#cloud-config\nhostname: größer\n';
  it.each<[string, string, Buffer | string, string]>([
    ['with a byte order mark', 'user-data', `\ufeff${config}`, 'begins with a byte order mark (BOM)'],
    ['in UTF-16', 'user-data', Buffer.from(`\ufeff${config}`, 'utf16le'), 'is UTF-16, and not UTF-8'],
    [
      'in UTF-16 without its mark',
      'network-config',
      Buffer.from(config, 'utf16le'),
      'is UTF-16, and not UTF-8',
    ],
    ['in Latin-1', 'user-data', Buffer.from(config, 'latin1'), 'is not UTF-8 in line 2'],
    [
      'that is no YAML',
      'user-data',
      `${config}  users:\n`,
      'is no YAML in line 3 (mapping values are not allowed here)',
    ],
    ['with a tab', 'meta-data', 'instance-id:\n\t- first\n', 'is no YAML in line 2 ('],
    ['that is a list', 'user-data', '#cloud-config\n- hostname\n', 'is YAML, but no mapping of keys'],
    ['without its first line', 'user-data', 'hostname: x\n', 'begins with neither "#cloud-config" nor "#!"'],
  ])('of files one %s', async (_, name, content, why) => {
    const text = await said({ [name]: content });
    expect(text.startsWith(`WARNING ${name} on the boot partition ${why}`), text).toBe(true);
    expect(text.trim().split('\n')).toHaveLength(1);
  });

  it('and nothing of what cloud-init can read', async () => {
    for (const userData of [
      config,
      config.replaceAll('\n', '\r\n'),
      '',
      '#cloud-config\n# nothing yet\n',
      '#!/bin/sh\necho: [\n',
      'Content-Type: multipart/mixed; boundary="x"\n',
      '## template: jinja\n#cloud-config\n{% if true %}\n',
      gzipSync(config),
    ])
      expect(await said({ 'user-data': userData, 'meta-data': 'instance-id: first\n' })).toBe('');
    for (const [, { features }] of servers) expect(await said(shipped(features))).toBe('');
  });
});

describe('each line behind a "#" in the shipped files', () => {
  /** Texts with examples taken out from behind their "#": all, and each that is a key at the top by itself. */
  function uncommented(text: string): readonly string[] {
    const lines = text.split('\n');
    const withOnly = (wanted: (example: number) => boolean): string => {
      let example = -1;
      return lines
        .map((line) => {
          if (isExample(line) && /^#\S/.test(line)) example += 1;
          return isExample(line) && wanted(example) ? line.slice(1) : line;
        })
        .join('\n');
    };
    const keys = lines.filter((line) => isExample(line) && /^#\S/.test(line));
    return [withOnly(() => true), ...keys.map((_, at) => withOnly((example) => example === at))];
  }

  /** What a YAML reader, the one that cloud-init has, makes of texts. */
  async function parsed(texts: readonly string[]): Promise<readonly Record<string, unknown>[]> {
    const program = await treeOf(fixture.store, {
      'texts.json': JSON.stringify(texts),
      'try.py':
        "import json, yaml\nprint(json.dumps([yaml.safe_load(text) for text in json.load(open('/program/texts.json'))]))\n",
    });
    const request = scriptRequest(fixture, 'python3 /program/try.py', {
      layers: [fixture.root, fixture.tools.digest],
      inputs: [
        { path: '/program', node: program },
        { path: '/yaml', node: yaml },
      ],
      env: { PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: '/yaml' },
    });
    return JSON.parse(await textOf(fixture.executor, request)) as readonly Record<string, unknown>[];
  }

  /** What cloud-init's own schema has against a document. */
  async function schemaOf(name: string): Promise<(document: unknown) => string> {
    const folder = tempFolder('schemas');
    const path = 'usr/lib/python3/dist-packages/cloudinit/config/schemas';
    await unpackPins('cloud-init-x86_64-linux', ['cloud-init'], folder, [`./${path}`]);
    // It names a draft that says the same of all that is in it.
    const schema = JSON.parse(readFileSync(join(folder, path, name), 'utf8')) as Record<string, unknown>;
    delete schema['$schema'];
    const validate = new Ajv({ strict: false, validateFormats: false, logger: false }).compile(schema);
    return (document) => (validate(document) ? '' : JSON.stringify(validate.errors));
  }

  it.each(servers)(
    'of user-data in %s is of a cloud-config, alone and with all others',
    async (_, { features }) => {
      const texts = uncommented(shipped(features)['user-data']!);
      const objections = await schemaOf('schema-cloud-config-v1.json');
      const [whole, ...alone] = await parsed(texts);
      expect(Object.keys(whole!)).toEqual(['hostname', 'users', 'timezone', 'write_files', 'runcmd']);
      expect(alone.map((one) => Object.keys(one))).toEqual(Object.keys(whole!).map((key) => [key]));
      for (const document of [whole, ...alone]) expect(objections(document)).toBe('');
      // No line is left behind a "#" that is not a remark.
      expect(texts[0]!.split('\n').filter(isExample)).toEqual([]);
      expect(objections({ ...whole, packages_to_install: [] })).toContain('packages_to_install');
    },
  );

  it('of network-config is of netplan, as cloud-init reads it', async () => {
    const text = filesOf(firstBootFiles())['network-config']!;
    const objections = await schemaOf('schema-network-config-v2.json');
    const [as, all] = await parsed([text, ...uncommented(text)]);
    const devices = (document: Record<string, unknown>): readonly string[] =>
      Object.keys((document['network'] as { readonly ethernets: object }).ethernets);
    expect([devices(as!), devices(all!)]).toEqual([
      ['wired', 'usb'],
      ['wired', 'usb', 'eth0'],
    ]);
    for (const document of [as, all]) expect(objections(document)).toBe('');
    // It has nothing against keys that it does not know, so what is said of the address is compared as a whole.
    expect(objections({ network: { version: 2, ethernets: { eth0: { dhcp4: 'perhaps' } } } })).toContain(
      'dhcp4',
    );
    expect((all!['network'] as { readonly ethernets: Record<string, unknown> }).ethernets['eth0']).toEqual({
      addresses: ['192.168.1.10/24'],
      routes: [{ to: 'default', via: '192.168.1.1' }],
      nameservers: { addresses: ['192.168.1.1'] },
    });
  });

  it.each(servers)('of what %s is to run names a program that is there', (_, { features }) => {
    const [, program] = /^#runcmd:\n#  - \[(\w+),/m.exec(shipped(features)['user-data']!) ?? [];
    expect(program).toBe(hasDocker(features) ? 'docker' : 'bash');
    expect(cards.bash.gives.files).toContain('usr/bin/bash');
  });
});
