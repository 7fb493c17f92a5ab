// What an editor is told of the real kernel's sources: each file is where it says, and the compiler that the kernel was built with
// takes a command from there, on this machine and in the person's own folder.

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CompileCommand } from '../../cli/kernel/compile-commands.ts';
import { shellWords } from '../../cli/kernel/shell-words.ts';
import { builtOutput, imageTestsConfig, runOwnCairn } from '../support/own-flake.ts';

const execute = promisify(execFile);

describe('the compilation database of a kernel that is made from a folder', () => {
  let source: string;
  let scratch: string;
  let commands: readonly CompileCommand[];
  beforeAll(async () => {
    source = await builtOutput('source@x86_64-linux', imageTestsConfig);
    scratch = mkdtempSync(join(tmpdir(), 'cairn-editor-'));
    const file = join(scratch, 'compile_commands.json');
    const words = ['kernel', 'compile-commands', 'cut@aarch64-linux', '--config', imageTestsConfig];
    const ran = await runOwnCairn([...words, '--override', `linux=${source}`, '--output', file]);
    if (ran.status !== 0) throw new Error(ran.stderr.slice(-3000));
    commands = JSON.parse(readFileSync(file, 'utf8')) as CompileCommand[];
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it('names files that are there, in folders that are there', () => {
    expect(commands.length).toBeGreaterThan(100);
    const named = commands.flatMap(({ directory, file }) => [directory, resolve(directory, file)]);
    expect([...new Set(named)].filter((path) => !existsSync(path))).toEqual([]);
    expect(commands.map(({ file }) => file)).toContain(join(source, 'kernel/fork.c'));
  });

  it('names folders and files of the sources to include that are there', () => {
    // What is relative is where objects are: many folders have no header that was generated.
    const named = new Set(commands.flatMap(({ arguments: words }) => included(words).filter(isAbsolute)));
    expect([...named].filter((path) => path.startsWith(source)).length).toBeGreaterThan(5);
    expect([...named].filter((path) => !existsSync(path))).toEqual([]);
  });

  it('has commands that the compiler takes, with the headers that were generated', async () => {
    const command = commands.find(({ file }) => file === join(source, 'kernel/fork.c'))!;
    await expect(checkSyntax(command)).resolves.toBeUndefined();
    await expect(checkSyntax({ ...command, directory: scratch })).rejects.toThrow(
      /No such file or directory/,
    );
  });
});

/** What is named after -I, -isystem and -include. */
function included(words: readonly string[]): readonly string[] {
  return words.flatMap((word, at) => {
    if (['-include', '-isystem', '-I'].includes(words[at - 1] ?? '')) return [word];
    return /^-I./.test(word) ? [word.slice(2)] : [];
  });
}

// By the compiler of the seed, started through the seed's own loader: the driver says how it calls the compiler itself.
async function checkSyntax({ directory, arguments: [compiler, ...words] }: CompileCommand): Promise<void> {
  const seed = await builtOutput('seed@x86_64-linux');
  const start = async (program: string, args: readonly string[]): Promise<string> => {
    const loader = join(seed, 'usr/lib64/ld-linux-x86-64.so.2');
    const libraries = join(seed, 'usr/lib/x86_64-linux-gnu');
    const full = isAbsolute(program) ? program : join(seed, 'usr/bin', program);
    const options = { cwd: directory, maxBuffer: 64 * 1024 * 1024 };
    return (await execute(loader, ['--library-path', libraries, full, ...args], options)).stderr;
  };
  // An editor writes neither objects nor lists of dependencies.
  const own = words.filter((word, at) => !/^-Wp,-M|^-[co]$/.test(word) && words[at - 1] !== '-o');
  const told = await start(compiler!, ['-###', '-fsyntax-only', ...own]);
  const [cc1, ...args] = shellWords(
    told
      .split('\n')
      .find((line) => /\/cc1"? /.test(line))!
      .trim(),
  );
  await start(cc1!, args);
}
