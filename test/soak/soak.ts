// Many processes on one store for a while: builds, collections, verifications, repairs, some of them killed, on a disk that
// fills now and then. What each may end with is known, and so is what every build gives; afterwards the store must be as if
// nothing had happened. Run by `run-soak.ts`, alone among processes and on a disk of its own. Writes a report as JSON.

import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { openStore } from '../../store/index.ts';
import { busyboxFlake, finished, projectIn, type CairnProject, type Ran } from '../support/cairn-project.ts';
import { randomFrom, type Random } from '../support/random.ts';
import type { SoakOptions, SoakReport } from './run-soak.ts';

const options = JSON.parse(process.argv[2]!) as SoakOptions;
const store = join(options.disk, 'store');
const variants = [0, 1, 2] as const;

// Steps share what they do across projects, so that several processes want the same at once.
function flakeOf(project: number, variant: number): Readonly<Record<string, string>> {
  return busyboxFlake(`(() => {
    const text = (name: string, lines: number) => command(name, \`awk 'BEGIN { for (i = 0; i < \${lines}; i++) print "\${name}", i }' > $out/text\`);
    const [common, own, changing] = [text('common', 20000), text('own-${project}', 20000), text('changing-${variant}', 40000)];
    const counted = command('counted', 'cat /in/*/text | wc > $out/words', { '/in/a': common, '/in/b': own, '/in/c': changing });
    const source = localFolder({ name: 'source', path: './source' });
    return { all: command('all', 'cat /in/*/* > $out/all', { '/in/a': counted, '/in/b': changing, '/in/c': source }) };
  })()`);
}

const faults: string[] = [];
const counts: Record<string, number> = {};
/** When the disk was full, last of all. */
let fullUntilMs = 0;
/** Operations that were begun, and that have ended. */
let [begun, ended] = [0, 0];

const projects = Array.from({ length: options.projects }, (_, at): CairnProject => {
  const project = projectIn(join(options.folder, `project-${at}`), store, options.sources);
  for (let file = 0; file < 20; file++) project.write(`source/f${file}`, `project ${at} file ${file}`);
  return project;
});
// A config for each variant, side by side, so that nobody reads one that is being replaced.
const configs = projects.map((project, at) =>
  variants.map((variant) => {
    const files = flakeOf(at, variant);
    project.write('flake-like.lock', files['flake-like.lock']!);
    const name = `variant-${variant}.config.ts`;
    project.write(name, files['flake-like.config.ts']!);
    return name;
  }),
);
// The same target of each, so that successive builds push each other's results out of what is kept.
const buildArgs = (project: number, variant: number): string[] => [
  'build',
  'all',
  '--json',
  '--config',
  configs[project]![variant]!,
];

function digestIn(ran: Ran): unknown {
  return ran.events.find((event) => event['type'] === 'target')?.['digest'];
}

/** What each variant of each project gives, built where nobody disturbs. */
async function expectedDigests(): Promise<unknown[][]> {
  const expected: unknown[][] = [];
  for (const [at, project] of projects.entries()) {
    expected.push([]);
    for (const variant of variants) {
      const env = { CAIRN_STORE: join(options.folder, 'reference') };
      const ran = await project.run(buildArgs(at, variant), { env });
      if (ran.status !== 0) throw new Error(`the reference build failed: ${ran.stdout}${ran.stderr}`);
      expected[at]!.push(digestIn(ran));
    }
  }
  return expected;
}

interface Task {
  readonly name: string;
  readonly project: number;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly digest?: unknown;
}

function taskOf(random: Random, expected: readonly (readonly unknown[])[]): Task {
  const project = random(projects.length);
  const variant = random(variants.length);
  const choice = random(100);
  const gc = (...more: string[]): Task => ({ name: 'gc', project, args: ['store', 'gc', '--json', ...more] });
  if (choice < 6) return gc();
  if (choice < 12) return gc('--max-size', `${5 + random(30)}M`);
  if (choice < 16)
    return {
      name: 'roots',
      project,
      args: ['store', 'roots', '--json', '--remove', rootOf(project, variant)],
    };
  if (choice < 20) return { name: 'verify', project, args: ['store', 'verify', '--json'] };
  if (choice < 23) return { name: 'repair', project, args: ['store', 'repair', '--json'] };
  const digest = expected[project]![variant];
  const env = choice < 33 ? { CAIRN_STORE_SIZE: '20M' } : {};
  return { name: 'build', project, args: buildArgs(project, variant), env, digest };
}

function rootOf(project: number, variant: number): string {
  const config = configs[project]![variant]!;
  return `build:${join(projects[project]!.folder, config)}#all@x86_64-linux`;
}

// Each operation has numbers of its own, so that what it is does not depend on when others ended.
async function runOne(expected: readonly (readonly unknown[])[]): Promise<void> {
  const random = randomFrom(options.seed * 1_000_003 + begun++);
  const task = taskOf(random, expected);
  const startedMs = performance.now();
  const child = projects[task.project]!.start(task.args, { env: task.env ?? {} });
  const killed = random(100) < 25;
  const timer = killed ? globalThis.setTimeout(() => child.kill('SIGKILL'), random(3000)) : undefined;
  const ran = await finished(child);
  clearTimeout(timer);
  count(ran.status === null ? `${task.name} killed` : `${task.name} ${ran.status}`);
  judge(task, ran, { killed, wasFull: fullUntilMs > startedMs });
}

function count(what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}

function judge(task: Task, ran: Ran, { killed, wasFull }: { killed: boolean; wasFull: boolean }): void {
  const isFine =
    ran.status === 0
      ? task.digest === undefined || digestIn(ran) === task.digest
      : ran.status === null
        ? killed
        : (ran.status === 1 && wasFull) || isUnknownRoot(task, ran);
  if (!isFine) faults.push(`${task.args.join(' ')} ended with ${ran.status}: ${errorsIn(ran)}`);
}

// The root that was to be removed need not be there.
function isUnknownRoot({ name }: Task, { status }: Ran): boolean {
  return name === 'roots' && status === 2;
}

/** What a person would have been told, with what a report of a bug says. */
function errorsIn(ran: Ran): string {
  const errors = ran.events
    .filter((event) => event['type'] === 'error' || event['outcome'] === 'failed')
    .map((event) => JSON.stringify(event) + bugReport(event['where']));
  return [...errors, ran.stderr].join('\n').slice(-3000);
}

function bugReport(file: unknown): string {
  return typeof file === 'string' && existsSync(file) ? readFileSync(file, 'utf8') : '';
}

const filler = join(options.disk, 'filler');
const fillings = randomFrom(options.seed);
/** As many operations must have ended before the disk is filled, or emptied again. */
let changeAt = 5 + fillings(10);

function fillNowAndThen(): void {
  if (ended < changeAt) return;
  if (existsSync(filler)) empty();
  else fill();
  changeAt = ended + (existsSync(filler) ? 2 + fillings(6) : 10 + fillings(40));
}

function fill(): void {
  fullUntilMs = Infinity;
  const file = openSync(filler, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(1 << 18));
  } catch {
    // It is full now.
  }
  closeSync(file);
}

function empty(): void {
  if (!existsSync(filler)) return;
  rmSync(filler);
  fullUntilMs = performance.now();
}

async function settleDown(expected: readonly (readonly unknown[])[]): Promise<void> {
  const mustSucceed = async (project: number, args: readonly string[], digest?: unknown): Promise<void> => {
    const ran = await projects[project]!.run(args);
    if (ran.status !== 0 || (digest !== undefined && digestIn(ran) !== digest))
      faults.push(`afterwards, ${args.join(' ')} ended with ${ran.status}: ${errorsIn(ran)}`);
  };
  await mustSucceed(0, ['store', 'verify', '--json']);
  for (const project of projects.keys())
    for (const variant of variants)
      await mustSucceed(project, buildArgs(project, variant), expected[project]![variant]);
  await mustSucceed(0, ['store', 'gc', '--json']);
  await mustSucceed(0, ['store', 'verify', '--json']);
}

async function lookForLeftovers(): Promise<void> {
  for (let tries = 0; others().length > 0 && tries < 100; tries++) await setTimeout(100);
  for (const process of others()) faults.push(`left behind: process ${process}`);
  for (const name of readdirSync(join(store, 'tmp'))) faults.push(`left behind: tmp/${name}`);
  const opened = await openStore(store);
  // One for each step: all can be had at once.
  const realised = [...opened.records.roots()].flatMap(({ derivations }) => derivations);
  for (const id of realised) {
    const action = opened.records.memo(id)?.action;
    const lock = action === undefined ? undefined : await opened.locks.tryAcquire(`build:${action}`);
    if (lock?.kind === 'held') faults.push(`left behind: a lock of ${lock.holder}`);
    if (lock?.kind === 'lock') await lock.release();
  }
  await opened.close();
}

/** Processes that run beside this one; those that have ended and wait for their parent do not. */
function others(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const [, name, state] = /^\d+ \((.*)\) (\S)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
        return state === 'Z' ? [] : [`${pid} ${name}`];
      } catch {
        return [];
      }
    });
}

const expected = await expectedDigests();
const { seconds = Infinity, operations = Infinity } = options;
const deadlineMs = performance.now() + seconds * 1000;
await Promise.all(
  Array.from({ length: options.processes }, async () => {
    while (begun < operations && performance.now() < deadlineMs && faults.length < 20) {
      await runOne(expected);
      ended++;
      fillNowAndThen();
    }
  }),
);
empty();
await settleDown(expected);
await lookForLeftovers();
const { bfree, bsize } = statfsSync(options.disk);
const report: SoakReport = { faults, counts, freeBytes: bfree * bsize };
writeFileSync(options.report, JSON.stringify(report));
