// What a person may write in user-data: the shipped example asks for nothing that a server does not do, and whatever else they
// ask for is named to them.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

/** What the example offers at the top of a cloud-config, behind a "#" or not. */
const offered = [...filesOf(firstBootFiles())['user-data']!.matchAll(/^#?([a-z_]+):/gm)].map(
  ([, key]) => key!,
);

describe.each(servers)('the example of user-data, in %s', (_, { features }) => {
  it('asks for nothing that is not done', () => {
    expect(offered).toEqual(['hostname', 'users', 'timezone', 'write_files', 'runcmd']);
    expect(knownKeys(features)).toEqual(expect.arrayContaining(offered));
  });

  it('names time zones and a shell that are there', () => {
    const text = filesOf(firstBootFiles())['user-data'];
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
    expect(await said(filesOf(firstBootFiles()))).toBe('');
  });
});
