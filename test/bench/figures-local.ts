// A folder as large as the kernel's in place of an input: with nothing changed, and from one changed line to the first step.

import { spawn } from 'node:child_process';
import { appendFileSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { packageRoot } from '../../store/base/package-root.ts';
import { atMost, median, seconds, type Figure } from './figure.ts';
import { inFolder } from './machine.ts';
import { cairn, findProgram, measure } from './process.ts';

// What is built is small, as an image is beside its sources: one folder of them.
const configOf = (
  part: string,
): string => `import { compose, defineFlake, from, unpackPin } from 'cairn-build';
export default defineFlake({
  description: 'a kernel',
  inputs: { linux: { kind: 'debian-source', suite: 'trixie', package: 'linux' } },
  targets: ['x86_64-linux'],
  outputs: ({ pins }) => ({ kernel: compose({ name: 'kernel', parts: [from(unpackPin(pins.linux[0]), { subpath: '${part}' })] }) }),
});
`;
const rounds = 5;

/** `CAIRN_BENCH_TREE` names the folder; else one of the same shape is made up here. */
export async function localSources(): Promise<Figure[]> {
  return inFolder(async (folder) => {
    const tree = await workTree(join(folder, 'linux'));
    const project = join(folder, 'project');
    mkdirSync(join(project, 'node_modules'), { recursive: true });
    symlinkSync(packageRoot, join(project, 'node_modules/cairn-build'));
    const command = [...cairn, 'build', 'kernel', '--override', `linux=${tree}`];
    const options = { cwd: project, env: { CAIRN_STORE: join(folder, 'store') } };
    const paths = [...pathsIn(tree)];
    const changed = paths.find((path) => path.endsWith('.c'))!;
    writeFileSync(join(project, 'flake-like.config.ts'), configOf(relative(tree, dirname(changed))));
    await measure(command, options);
    // What was written within two seconds is read again.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await measure(command, options);

    const [still, edited, stats]: number[][] = [[], [], []];
    for (let round = 0; round < rounds; round++) {
      stats!.push(statAll(paths));
      still!.push((await measure(command, options)).wallMs);
      appendFileSync(changed, `/* ${round} */\n`);
      edited!.push(await firstStep([...command, '--json'], options));
      await new Promise((resolve) => setTimeout(resolve, 2500));
      await measure(command, options);
    }
    const [stillMs, editedMs, statMs] = [still!, edited!, stats!].map(median) as [number, number, number];
    const yardstick = `lstat of its ${paths.length} files and folders ${seconds(statMs)}`;
    const typed = 'cairn build kernel --override linux=TREE';
    return [
      {
        what: 'nothing changed, whole process',
        measured: seconds(stillMs),
        yardstick,
        ...atMost(stillMs / statMs, 2),
        command: typed,
      },
      {
        what: 'the same in seconds',
        measured: seconds(stillMs),
        yardstick: 'one second',
        ...atMost(stillMs / 1000, 1),
        command: typed,
      },
      {
        what: 'one line changed: from the start of the command to its first step',
        measured: seconds(editedMs),
        yardstick,
        ...atMost(editedMs / statMs, 3),
        command: typed,
      },
    ];
  });
}

// 86,000 files in 5,700 folders, three deep as in a kernel, and a repository that tracks them.
async function workTree(root: string): Promise<string> {
  const given = process.env['CAIRN_BENCH_TREE'];
  if (given !== undefined) return given;
  const script = `import os
root=${JSON.stringify(root)}
for folder in range(5700):
    path=os.path.join(root,f"part-{folder//400}",f"driver-{folder//20}",f"folder-{folder}"); os.makedirs(path)
    for name in range(15):
        with open(os.path.join(path,f"source-file-{name}.{'h' if name%3==0 else 'c'}"),"w") as out: out.write(f"int f_{folder}_{name};\\n"*20)
with open(os.path.join(root,".gitignore"),"w") as out: out.write("*.o\\n*.ko\\n.*.cmd\\n")`;
  await measure(['python3', '-c', script]);
  if (findProgram('git') === undefined) return root;
  const git = ['git', '-C', root, '-c', 'user.name=a', '-c', 'user.email=a@example.org', '-c', 'gc.auto=0'];
  await measure([...git, 'init', '--quiet']);
  await measure([...git, 'add', '--all']);
  await measure([...git, 'commit', '--quiet', '--message', 'all']);
  return root;
}

function* pathsIn(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === '.git') continue;
    const path = join(folder, entry.name);
    yield path;
    if (entry.isDirectory()) yield* pathsIn(path);
  }
}

function statAll(paths: readonly string[]): number {
  const started = performance.now();
  for (const path of paths) lstatSync(path);
  return performance.now() - started;
}

/** Milliseconds from the start of a command to the record of its first step; the command ends by itself. */
function firstStep(
  argv: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Record<string, string> },
): Promise<number> {
  const started = performance.now();
  const child = spawn(argv[0]!, argv.slice(1), {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let [text, stepMs] = ['', undefined as number | undefined];
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    if (text.includes('"type":"step-started"')) stepMs ??= performance.now() - started;
  });
  return new Promise((resolve, reject) => {
    child.once('close', (status) => {
      if (status === 0 && stepMs !== undefined) resolve(stepMs);
      else
        reject(
          new Error(`${argv.join(' ')} ended with ${status} and started no step:\n${text.slice(-2000)}`),
        );
    });
  });
}
