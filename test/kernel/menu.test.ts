// The kernel's own menus on a real terminal, with keys: what is chosen there is a fragment, and what is not saved is nothing.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { builtOutput, imageTestsConfig } from '../support/own-flake.ts';
import { keys, TypedTerminal, type TerminalSize } from '../support/typed-terminal.ts';

let folder: string;
let file: string;

function open(menu: 'menuconfig' | 'nconfig', size?: TerminalSize): TypedTerminal {
  const words = ['kernel', menu, 'cut@aarch64-linux', '--config', imageTestsConfig, '--out', file];
  const terminal = TypedTerminal.start(words, size);
  onTestFinished(() => terminal.hangUp());
  return terminal;
}

describe('a menu of the kernel', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cairn-menu-'));
    file = join(folder, 'ours.ts');
    await builtOutput('cut-config@aarch64-linux', imageTestsConfig);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('gives a fragment that asks for the one option that was switched', async () => {
    const menu = open('menuconfig');
    await menu.see(/General setup/);
    menu.press('/');
    await menu.see(/Enter \(sub\)string/);
    menu.press('^CRC8$', keys.enter);
    await menu.see(/Symbol: CRC8/);
    // The first place that was found, where the option is a module now; then out of the menu, of what was found, and of it all.
    menu.press('1');
    await menu.see(/CRC8 function/);
    menu.press('m');
    await menu.see(/M/);
    menu.press(keys.escape);
    await menu.see(/Symbol: CRC8/);
    menu.press(keys.escape);
    await menu.see(/General setup/);
    menu.press(keys.escape);
    await menu.see(/save your new configuration/);
    menu.press(keys.enter);
    const { status, text } = await menu.end();
    expect(status, text.slice(-1000)).toBe(0);
    expect(text).toContain(`1 option to ask for, in ${file}`);
    const { ours } = (await import(file)) as { ours: unknown };
    expect(ours).toEqual({ name: 'ours', modules: { 'chosen in the menu': 'CRC8' } });
  });

  it.each<[how: string, menu: 'menuconfig' | 'nconfig', leave: (menu: TypedTerminal) => Promise<void>]>([
    ['is left', 'nconfig', (menu) => whenSeen(menu, keys.f9)],
    ['is ended by Ctrl-C', 'menuconfig', (menu) => whenSeen(menu, keys.interrupt)],
  ])('leaves the fragment as it was when it %s', async (_, name, leave) => {
    const before = fragment();
    const menu = open(name);
    await leave(menu);
    const { status, text } = await menu.end();
    expect(status, text.slice(-1000)).toBe(0);
    expect(text).toContain(`nothing was saved; ${file} is as it was`);
    expect(fragment()).toBe(before);
  });

  it('says so where the terminal is too small for it', async () => {
    const before = fragment();
    const menu = open('menuconfig', { rows: 10, columns: 40 });
    const { status, text } = await menu.end();
    expect(status).toBe(1);
    expect(text).toMatch(/at least 19 lines by 80 columns[^]*error\[MENU_FAILED\]/);
    expect(fragment()).toBe(before);
  });

  it('ends with its terminal, and leaves the fragment as it was', async () => {
    const before = fragment();
    const menu = open('menuconfig');
    await menu.see(/General setup/);
    const processes = menu.processes();
    expect(processes.length).toBeGreaterThan(1);
    menu.hangUp();
    await expect
      .poll(() => processes.filter((pid) => existsSync(`/proc/${pid}`)), { timeout: 60_000 })
      .toEqual([]);
    expect(fragment()).toBe(before);
  });
});

function fragment(): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

async function whenSeen(menu: TypedTerminal, key: string): Promise<void> {
  await menu.see(/General setup/);
  menu.press(key);
}
