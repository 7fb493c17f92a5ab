// What a person may write in user-data: the shipped example asks for nothing that a server does not do, and whatever else they
// ask for is named to them.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstBootFiles } from '../../derivations/images/first-boot-files.ts';
import { keysOfModules } from '../../derivations/system/features/cloud-init.ts';
import { systems, type Feature } from '../../derivations/system/index.ts';
import { mergeFeatures } from '../../derivations/system/merge-features.ts';
import { unknownKeysModule } from '../../derivations/system/programs/index.ts';
import { filesOf } from '../support/composed-files.ts';
import { pythonFixture, type PythonFixture } from '../support/python-tools.ts';
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
    expect(modules[0]).toBe('unknown-keys');
    expect(modules).toEqual(expect.arrayContaining(Object.keys(keysOfModules)));
  });
});

it.each(['packages', 'ca_certs', 'ssh_import_id', 'locale', 'package_update', 'apt', 'snap', 'growpart'])(
  '"%s" is among the keys that are named, for no module does it',
  (key) => {
    for (const [, { features }] of servers) expect(knownKeys(features)).not.toContain(key);
  },
);

describe('a key that no module knows', () => {
  let fixture: PythonFixture;
  beforeAll(async () => {
    fixture = await pythonFixture();
  });
  afterAll(() => fixture.close());

  it('is named, once and alone', async () => {
    const settings = 'CFG_BUILTIN = {"warnings": {}}\nPER_INSTANCE = "once-per-instance"\n';
    const asked = '{"packages": ["vim"], "runcmd": [], "warnings": {}, 7: 0}';
    const program = await treeOf(fixture.store, {
      cloudinit: { '__init__.py': '', 'settings.py': settings },
      'unknown_keys.py': unknownKeysModule.replace('/usr/lib/cairn/', '/program/'),
      'cloud-config-keys.json': JSON.stringify(['runcmd']),
      'try.py': `import logging, sys\nlogging.basicConfig(stream=sys.stdout, format='%(levelname)s %(message)s')\nimport unknown_keys\nunknown_keys.handle('', ${asked}, None, [])\n`,
    });
    const request = scriptRequest(fixture, 'python3 /program/try.py', {
      layers: [fixture.root, fixture.tools.digest],
      inputs: [{ path: '/program', node: program }],
      env: { PYTHONDONTWRITEBYTECODE: '1' },
    });
    const says = (key: string): string =>
      `WARNING user-data asks for "${key}", which nothing on this machine does: it is left undone\n`;
    expect(await textOf(fixture.executor, request)).toBe(says('7') + says('packages'));
  });
});
