// The built command line as a process of its own, in a project, home and store that are gone after the test.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { packageRoot } from '../../store/base/package-root.ts';
import { parseRecords, type ParsedRecord } from '../support/json-records.ts';
import { tempFolder } from '../support/temp-folder.ts';

export const mainFile = join(packageRoot, 'dist/cli/main.js');

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Each line of standard output as a record, compared with the schema. */
  readonly records: () => readonly ParsedRecord[];
}

export interface TestProject {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Replaces the config: `body` is what stands between the imports and the end of the file. */
  config(body: string): void;
  run(...args: readonly string[]): Promise<Ended>;
  /** Starts without waiting. */
  start(...args: readonly string[]): Running;
  startIn(folder: string, ...args: readonly string[]): Running;
  /** Runs it with its streams where these are. */
  runWith(streams: Streams, ...args: readonly string[]): Promise<Ended>;
}

export interface Streams {
  readonly stdout?: 'pipe' | number;
  readonly stderr?: 'pipe' | number;
}

export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** A flake with two written trees and one composed of them. */
export const smallFlake = `
const words = write({ name: 'words', files: { 'share/words': 'one\\ntwo\\nthree\\n' } });
const tool = write({ name: 'tool', files: { 'bin/tool': { text: '#!/bin/sh\\n', executable: true }, 'bin/alias': { symlink: 'tool' } } });
const all = compose({ name: 'all', parts: [words, tool] });
export default flake({ words: { derivation: words, description: 'a list of words' }, tool: { derivation: tool, description: 'a program' }, all });
`;

/** A project of its own with this config. */
export function testProject(body: string = smallFlake, env: NodeJS.ProcessEnv = {}): TestProject {
  const base = tempFolder('cli');
  const folder = join(base, 'project');
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  mkdirSync(join(base, 'tmp'));
  symlinkSync(packageRoot, join(folder, 'node_modules/cairn-build'));
  const config = (text: string): void =>
    writeFileSync(
      join(folder, 'flake-like.config.ts'),
      `import { compose, defineFlake, fetchUrl, from, localFolder, run, write, type Output } from 'cairn-build';
const flake = (outputs: Record<string, Output>) => defineFlake({ description: 'a test', targets: ['x86_64-linux', 'aarch64-linux'], outputs: () => outputs });
${text}`,
    );
  config(body);
  const full = {
    PATH: process.env['PATH'],
    HOME: join(base, 'home'),
    TMPDIR: join(base, 'tmp'),
    CAIRN_STORE: join(base, 'store'),
    TERM: 'xterm',
    ...env,
  };
  const startIn: TestProject['startIn'] = (at, ...args) => startCairn(at, full, args);
  const runWith: TestProject['runWith'] = (streams, ...args) => startCairn(folder, full, args, streams).ended;
  const start: TestProject['start'] = (...args) => startIn(folder, ...args);
  return { folder, env: full, config, startIn, start, runWith, run: (...args) => start(...args).ended };
}

function startCairn(
  cwd: string,
  env: NodeJS.ProcessEnv,
  args: readonly string[],
  { stdout = 'pipe', stderr = 'pipe' }: Streams = {},
): Running {
  const child = spawn(process.execPath, [mainFile, ...args], { cwd, env, stdio: ['ignore', stdout, stderr] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { process: child, ended: collect(child) };
}

/** The environment in which `script` is part of the program: what goes wrong in it goes wrong in cairn. */
export function programPart(script: string): NodeJS.ProcessEnv {
  const file = join(tempFolder('part'), 'part.cjs');
  writeFileSync(file, script);
  return { NODE_OPTIONS: `--require ${file}` };
}

/** Waits for the end of a process, and for all it wrote. */
export async function collect(child: ChildProcess): Promise<Ended> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const records = (): readonly ParsedRecord[] => parseRecords(stdout);
  return { status, stdout, stderr, records };
}
