// The check of a kernel's configuration, run with the seed's python3 on small configurations made for it.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askedText, checkOptionsProgram } from '../../derivations/kernel/check-options.ts';
import { mergeFragments, type Fragment } from '../../derivations/kernel/fragment.ts';
import { pythonFixture, type PythonFixture } from '../support/python-tools.ts';
import { execute, scriptRequest, treeOf } from '../support/sandbox-run.ts';

const rules = {
  Kconfig: 'source "net/Kconfig"\n\nconfig SWAP\n\tbool "Swap"\n\tdepends on MMU\n',
  net: {
    Kconfig: `menuconfig NET
	bool "Networking"
	help
	  depends on nothing at all.

if NET
config VETH
	tristate "pairs"
	depends on NET_CORE && \\
		INET
	depends on X || Y
endif
`,
  },
};

let fixture: PythonFixture;

beforeAll(async () => {
  fixture = await pythonFixture();
});
afterAll(() => fixture.close());

/** What the check says of a final configuration; nothing when it is as asked for. */
async function findings(fragment: Omit<Fragment, 'name'>, config: string): Promise<string> {
  const asked = askedText(mergeFragments([{ name: 'some', ...fragment }]));
  const node = await treeOf(fixture.store, { 'check.py': checkOptionsProgram, asked, config, rules });
  const request = scriptRequest(fixture, 'exec python3 /in/check.py /in/asked /in/config /in/rules', {
    layers: [fixture.root, fixture.tools.digest],
    inputs: [{ path: '/in', node }],
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  });
  const { result, text } = await execute(fixture.executor, request);
  expect(result.kind).toBe(text === '' ? 'succeeded' : 'failed');
  return text;
}

describe('the check of a configuration', () => {
  test('is content when everything came out as asked for', async () => {
    const fragment: Omit<Fragment, 'name'> = {
      on: { why: 'NET' },
      modules: { why: 'VETH' },
      off: { why: 'SWAP MMU' },
      values: { HZ: 250, CMDLINE: 'root=/dev/x "y"' },
    };
    const config =
      '#\n# Linux\n#\nCONFIG_NET=y\nCONFIG_VETH=m\n# CONFIG_SWAP is not set\nCONFIG_HZ=250\nCONFIG_MORE=y\n';
    expect(await findings(fragment, `${config}CONFIG_CMDLINE="root=/dev/x \\"y\\""\n`)).toBe('');
  });

  test('names every option that did not, with the reason it was asked for, its value and its conditions', async () => {
    const fragment = { on: { containers: 'NET VETH GONE' }, off: { 'no swap': 'SWAP' } };
    const text = await findings(fragment, 'CONFIG_NET=y\n# CONFIG_VETH is not set\nCONFIG_SWAP=y\n');
    expect(text.split('\n')).toEqual([
      'CONFIG_GONE: some asks for y (containers), and it is n; this kernel has no such option',
      'CONFIG_SWAP: some asks for n (no swap), and it is y; Kconfig says MMU',
      'CONFIG_VETH: some asks for y (containers), and it is n; net/Kconfig says NET_CORE && INET && (X || Y)',
      '3 options are not as asked for. Ask for what they depend on, too, or do not ask for them.',
      '',
    ]);
  });

  test('a module is not what was to be built in', async () => {
    const text = await findings({ on: { why: 'NET' } }, 'CONFIG_NET=m\n');
    expect(text).toContain(
      'CONFIG_NET: some asks for y (why), and it is m; net/Kconfig says no condition of its own\n1 options',
    );
  });

  test('values are compared, too', async () => {
    const text = await findings({ values: { HZ: 250 } }, 'CONFIG_HZ=100\n');
    expect(text).toContain('CONFIG_HZ: some asks for 250 (a value), and it is 100; this kernel');
  });
});
