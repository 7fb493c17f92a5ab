// cairn kernel compile-commands: from what the kernel's makefiles keep of each object to what an editor reads.

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileCommands, type CompileCommand } from '../../cli/kernel/compile-commands.ts';
import { shellWords } from '../../cli/kernel/shell-words.ts';
import { busyboxFlake, cairnProject } from '../support/cairn-project.ts';

const folders = { source: '/source', ownSource: '/home/me/my linux', directory: '/headers' };

function argumentsOf(command: string, rest = ''): readonly string[] | undefined {
  const line = `savedcmd_kernel/fork.o := ${command}${rest}`;
  return compileCommands(`${line}\n`, folders)[0]?.arguments;
}

describe('the command of an object', () => {
  it('is that of the compiler alone, in the folder with the headers that were generated', () => {
    const line =
      'savedcmd_kernel/fork.o := gcc -I./include -c -o kernel/fork.o /source/kernel/fork.c ; ./tools/objtool/objtool --orc kernel/fork.o';
    expect(compileCommands(line, folders)).toEqual([
      {
        directory: '/headers',
        file: '/home/me/my linux/kernel/fork.c',
        arguments: ['gcc', '-I./include', '-c', '-o', 'kernel/fork.o', '/home/me/my linux/kernel/fork.c'],
      },
    ]);
  });

  it.each([
    ['-I/source/include', '-I/home/me/my linux/include'],
    ['-fmacro-prefix-map=/source/=', '-fmacro-prefix-map=/home/me/my linux/='],
    ['/source/include/linux/kconfig.h', '/home/me/my linux/include/linux/kconfig.h'],
    ['/source', '/home/me/my linux'],
    ['/sources/a.h', '/sources/a.h'],
    ['-I/usr/source/include', '-I/usr/source/include'],
    ['./include/source/a.h', './include/source/a.h'],
  ])('has the person’s folder where the step had the sources: %s', (word, expected) => {
    expect(argumentsOf(`gcc ${word} -c -o a.o /source/a.c`)?.[1]).toBe(expected);
  });

  it('is written as a shell reads it, not as a makefile keeps it', () => {
    expect(
      argumentsOf(`gcc -DNAME='"kernel/fork"' -DX=\\#1 -DY='$$z' -c -o a.o /source/a.c`)?.slice(1, 4),
    ).toEqual(['-DNAME="kernel/fork"', '-DX=#1', '-DY=$z']);
  });

  it.each([['ld -r -o fs/romfs/romfs.o fs/romfs/super.o'], ['objcopy --prefix-symbols=__pi_ a.o b.o']])(
    'is none where nothing was compiled: %s',
    (command) => {
      expect(argumentsOf(command)).toBeUndefined();
    },
  );

  it('is none where what was compiled was generated, and is no file of the sources', () => {
    expect(
      argumentsOf('gcc -I/source/include -c -o drivers/of/empty_root.dtb.o drivers/of/empty_root.dtb.S'),
    ).toBeUndefined();
  });
});

it.each<[string, readonly string[]]>([
  ['a  b\tc', ['a', 'b', 'c']],
  [`-D'A="x y"'z`, ['-DA="x y"z']],
  [`"a \\"b\\" \\n" c\\ d`, ['a "b" \\n', 'c d']],
  [`'' ""`, ['', '']],
  ['', []],
])('a shell takes %j apart', (command, words) => {
  expect(shellWords(command)).toEqual(words);
});

it('a quote that nothing ends is an error', () => {
  expect(() => shellWords(`a 'b`)).toThrow('nothing ends');
});

// As a kernel is in the flake: what compiles it, and another step for the headers.
const kernels = `(() => {
  const text = (name: string, text: string) => write({ name, files: { text } });
  const source = localFolder({ name: 'linux', path: './linux' });
  const config = text('config', 'CONFIG_A=y');
  const line = 'savedcmd_a.o := gcc -I/source/include -I./include -c -o a.o /source/a.c';
  const kernel = (source: Derivation, config: Derivation) => run({
    name: 'kernel', layers: [shell], inputs: { '/source': source, '/config': config }, outputs: ['image', 'commands'],
    argv: ['/bin/sh', '-euc', 'echo >$image/kernel; echo "' + line + '" >$commands/commands'],
  });
  const headers = command('kernel-prepare-modules', 'mkdir $out/include; echo generated >$out/include/a.h', { '/config': config });
  const pinned = text('pinned', '');
  return {
    kernel: from(kernel(source, config), { output: 'image' }).derivation, 'kernel-dev': headers,
    pinned: kernel(pinned, config), bare: kernel(source, text('other', 'CONFIG_A=n')),
    both: compose({ name: 'both', conflicts: 'later-wins', parts: [kernel(source, config), kernel(pinned, config)].map((input) => ({ input: from(input, { output: 'image' }) })) }),
  };
})()`;

describe('cairn kernel compile-commands', () => {
  function project() {
    const made = cairnProject(busyboxFlake(kernels));
    mkdirSync(join(made.folder, 'linux'));
    made.write('linux/a.c', 'int a;');
    return made;
  }

  it('builds the kernel and writes a database with the paths of the folder that stands for its sources', async () => {
    const of = project();
    const { folder } = of;
    const file = join(folder, 'linux/compile_commands.json');
    const ran = await of.run(['kernel', 'compile-commands', '--output', file]);
    expect(ran.status, ran.stderr).toBe(0);
    expect(ran.stderr).toContain('1 object, in ');
    const [entry] = JSON.parse(readFileSync(file, 'utf8')) as CompileCommand[];
    expect(entry?.file).toBe(join(folder, 'linux/a.c'));
    expect(entry?.arguments).toContain(`-I${folder}/linux/include`);
    expect(readFileSync(join(entry!.directory, 'include/a.h'), 'utf8')).toBe('generated\n');
  });

  it('prints it, or tells machines, with paths of the folder that is named', async () => {
    const of = project();
    const printed = await of.run(['kernel', 'compile-commands', 'pinned', '--source', '/srv/linux']);
    expect(JSON.parse(printed.stdout)).toMatchObject([{ file: '/srv/linux/a.c' }]);
    const { events } = await of.run([
      'kernel',
      'compile-commands',
      'pinned',
      '--source',
      '/srv/linux',
      '--json',
    ]);
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'compile-commands', count: 1, target: 'pinned' }),
    );
  });

  it.each([
    ['pinned', 'pinned is not made from a folder of this machine', 'USAGE'],
    ['bare', 'no output of the config has the headers that go with kernel@x86_64-linux', 'TARGET_UNKNOWN'],
    ['kernel-dev', 'has no kernel that is compiled here', 'TARGET_UNKNOWN'],
    ['both', 'both@x86_64-linux has several kernels', 'USAGE'],
  ])('says why there is none for %s', async (target, message, code) => {
    const { status, stderr } = await project().run(['kernel', 'compile-commands', target]);
    expect(status).toBe(2);
    expect(stderr).toContain(`error[${code}]`);
    expect(stderr).toContain(message);
  });
});
