// Whether a root has the Python modules that its programs import, asked with the seed's python3 of roots made for it.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkModulesProgram, rootTreeModule } from '../../derivations/system/programs/index.ts';
import type { Node } from '../../store/index.ts';
import { pythonFixture, type PythonFixture } from '../support/python-tools.ts';
import { execute, scriptRequest, treeOf } from '../support/sandbox-run.ts';

let fixture: PythonFixture;
let program: Node;

beforeAll(async () => {
  fixture = await pythonFixture();
  program = await treeOf(fixture.store, {
    'program.py': checkModulesProgram,
    'root_tree.py': rootTreeModule,
  });
});
afterAll(() => fixture.close());

const library = '/root-tree/usr/lib/python3.13';
const others = '/root-tree/usr/lib/python3/dist-packages';

/** What the check says about the root that `setup` makes; nothing when all is well. */
async function findings(setup: string, loadedByName = ''): Promise<string> {
  const lines = `
    mkdir -p ${library}/lib-dynload ${others} /root-tree/usr/bin
    script() { cat >/root-tree/usr/bin/$1 && chmod +x /root-tree/usr/bin/$1; }
    ${setup}
    exec python3 /program/program.py ${loadedByName}`;
  const request = scriptRequest(fixture, lines, {
    layers: [fixture.root, fixture.tools.digest],
    inputs: [{ path: '/program', node: program }],
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  });
  const { result, text } = await execute(fixture.executor, request);
  expect(result.kind).toBe(text === '' ? 'succeeded' : 'failed');
  return text;
}

function program3(...lines: readonly string[]): string {
  return `printf '%s\\n' '#!/usr/bin/python3' ${lines.map((line) => `'${line}'`).join(' ')} | script x`;
}

describe('the check of Python modules', () => {
  test('is content with a root without Python', async () => {
    expect(await findings(`rmdir ${library}/lib-dynload ${library}`)).toBe('');
  });

  test('is content with modules that are there, in any of their forms', async () => {
    const setup = `
      touch ${library}/os.py ${others}/one.py ${library}/lib-dynload/fast.cpython-313-aarch64-linux-gnu.so
      mkdir -p ${others}/package/below ${others}/spaces && touch ${others}/package/__init__.py ${others}/package/below/__init__.py
      touch ${others}/spaces/part.py
      ${program3('import sys, os.path, one, fast', 'import package.below', 'from spaces import part')}`;
    expect(await findings(setup)).toBe('');
  });

  test('names a module that a program imports and the root has not', async () => {
    expect(await findings(program3('import gone.away'))).toBe(
      'usr/bin/x: imports gone.away, which is not in the root\n',
    );
  });

  test('looks at what is imported by what is imported, and at nothing else', async () => {
    const setup = `
      echo 'import gone' >${others}/first.py; echo 'import other' >${others}/unused.py
      ${program3('import first')}`;
    expect(await findings(setup)).toBe(
      'usr/lib/python3/dist-packages/first.py: imports gone, which is not in the root\n',
    );
  });

  test('follows imports that are relative to a package, and misses what a package has no name for', async () => {
    const setup = `
      mkdir -p ${others}/package/deep
      echo 'name = 1' >${others}/package/__init__.py
      echo 'from .. import name, sibling, nothing' >${others}/package/deep/__init__.py
      echo 'from .deep import gone' >${others}/package/sibling.py
      ${program3('import package.deep')}`;
    expect(await findings(setup)).toBe(
      [
        'usr/lib/python3/dist-packages/package/sibling.py: imports package.deep.gone, which is not in the root\n',
        'usr/lib/python3/dist-packages/package/deep/__init__.py: imports package.nothing, which is not in the root\n',
      ].join(''),
    );
  });

  test('leaves alone what a module is ready to go without', async () => {
    const setup = program3(
      ...['try:', '    import gone', 'except ImportError:', '    gone = None'],
      ...['def later():', '    import gone'],
      ...['if 0:', '    import gone'],
    );
    expect(await findings(setup)).toBe('');
  });

  test('asks for modules that are loaded by name, and for what they import', async () => {
    const setup = `mkdir ${others}/app && touch ${others}/app/__init__.py && echo 'import gone' >${others}/app/plugin.py`;
    expect(await findings(setup, 'app.plugin app.other')).toBe(
      [
        'usr/lib/python3/dist-packages/app/plugin.py: imports gone, which is not in the root\n',
        'app.other: is loaded by name, and is not in the root\n',
      ].join(''),
    );
  });

  test('says so when the root has another Python than the one that asks', async () => {
    expect(await findings(`mv ${library} /root-tree/usr/lib/python3.12`)).toBe(
      'the seed has usr/lib/python3.13 and the root has python3.12\n',
    );
  });
});
