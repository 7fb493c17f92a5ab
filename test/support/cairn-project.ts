// A project with a store of its own, on which the built command line is run as a person would.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../store/base/package-root.ts';
import { parseRecords, type ParsedRecord } from './json-records.ts';
import { busybox, collectedSandbox, collectedSources } from './sources.ts';
import { tempFolder } from './temp-folder.ts';

/** How a run of cairn ended. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What `--json` printed, compared with its schema. */
  readonly events: readonly ParsedRecord[];
}

export interface CairnProject {
  readonly folder: string;
  readonly store: string;
  write(name: string, text: string): void;
  /** Runs cairn to its end. */
  run(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Starts cairn in a process group of its own. */
  start(args: readonly string[], options?: RunOptions): ChildProcess;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Words put before the command, like `['nice']`. */
  readonly through?: readonly string[];
}

/** A fresh project in a temporary folder. `sources` is a folder as `cairn fetch` fills it. */
export function cairnProject(
  files: Readonly<Record<string, string>>,
  sources = collectedSources(),
): CairnProject {
  const project = projectIn(tempFolder('project'), join(tempFolder('store'), 'store'), sources);
  for (const [name, text] of Object.entries(files)) project.write(name, text);
  return project;
}

/** A project in a folder and with a store that somebody else removes. */
export function projectIn(folder: string, store: string, sources = collectedSources()): CairnProject {
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  const environment = {
    HOME: folder,
    CAIRN_STORE: store,
    CAIRN_SOURCES: sources,
  };
  const start = (
    args: readonly string[],
    { env = {}, cwd = folder, through = [] }: RunOptions = {},
  ): ChildProcess => {
    const [program, ...rest] = [...through, process.execPath, join(packageRoot, 'dist/cli/main.js'), ...args];
    return spawn(program!, rest, {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment, ...env },
    });
  };
  return { folder, store, write, start, run: (args, options) => finished(start(args, options)) };
}

/** Waits for a started cairn. */
export async function finished(child: ChildProcess): Promise<Ran> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    status,
    stdout,
    stderr,
    get events() {
      const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
      return parseRecords(lines.join('\n'));
    },
  };
}

/** Names of the steps that a `--json` run says ended like this. */
export function stepsThat(outcome: string, { events }: Ran): string[] {
  return events
    .filter((event) => event['type'] === 'step-finished' && event['outcome'] === outcome)
    .map((event) => String(event['name']));
}

/** The config of a project that has a static busybox for a root and cairn's own sandbox; `outputs` may use `command` and `pins`. */
export function busyboxFlake(outputs: string): Readonly<Record<string, string>> {
  const shipped = JSON.parse(readFileSync(join(packageRoot, 'flake-like.lock'), 'utf8')) as {
    inputs: Record<string, unknown>;
  };
  return {
    'flake-like.lock': JSON.stringify(
      { version: 1, inputs: { sandbox: shipped.inputs['sandbox'] } },
      undefined,
      2,
    ),
    'flake-like.config.ts': `import { compose, defineFlake, fetchUrl, from, localFolder, run, unpack, unpackPin, write, type Derivation } from 'cairn-build';
import { inputs, sandboxTool } from 'cairn-build/derivations';
const archive = fetchUrl({
  name: 'busybox.deb',
  urls: ['${busybox.urls[0]}'],
  sha256: '${busybox.sha256}',
});
const sandboxPrograms = fetchUrl({ name: 'sandbox.tar', urls: ['https://sandbox.invalid/sandbox.tar'], sha256: '${collectedSandbox()}' });
const busybox = from(unpack({ name: 'busybox', archive, strip: 0 }), { subpath: 'usr/bin/busybox' });
const links = Object.fromEntries('awk cat date env id ls mkdir mount ps rm sed sleep sort touch umask uname wc'.split(' ').map((name) => [\`bin/\${name}\`, { symlink: 'sh' }]));
const shell = compose({ name: 'shell', parts: [{ input: busybox, at: 'bin/sh' }, write({ name: 'links', files: links })] });
const command = (name: string, script: string, needs: Record<string, Derivation> = {}) =>
  run({ name, layers: [shell], inputs: needs, argv: ['/bin/sh', '-euc', script] });
export default defineFlake({
  description: 'a test',
  inputs: { sandbox: inputs.sandbox },
  targets: ['x86_64-linux'],
  sandbox: () => unpack({ name: 'sandbox', archive: sandboxPrograms, strip: 0 }),
  outputs: ({ pins }) => (${outputs}),
});
`,
  };
}

/** A graph of small commands: \`layers\` of \`width\`, each needing three of the layer below, and \`all\` on top. */
export function smallGraph(layers: number, width: number, remark = ''): string {
  return `(() => {
    let below: Derivation[] = [];
    for (let layer = 0; layer < ${layers}; layer++) {
      const last = below;
      below = Array.from({ length: ${width} }, (_, at) => command(\`n\${layer}-\${at}\`,
        \`\${layer + at === 0 ? ${JSON.stringify(`${remark}\n`)} : ''}cat /in/*/* 2>/dev/null | wc -c > $out/size; echo n\${layer}-\${at} > $out/name\`,
        Object.fromEntries(layer === 0 ? [] : [0, 1, 2].map((step) => [\`/in/\${step}\`, last[(at + step) % ${width}]!]))));
    }
    return { all: command('all', 'cat /in/*/* > $out/all', Object.fromEntries(below.map((need, at) => [\`/in/\${at}\`, need]))), first: command('first', 'echo 1 > $out/1') };
  })()`;
}

/**
 * A project with a step that counts its builds in its kept folder, and says so in its output when its source asks for that:
 * `counted`, made from `source/text`.
 */
export function countingFlake(): Readonly<Record<string, string>> {
  const script =
    'cat /source/text > $out/text; echo >> kept/count; ' +
    'case $(cat /source/text) in count) wc -l < kept/count > $out/count;; esac';
  return {
    ...busyboxFlake(
      `{ counted: run({ name: 'counted', layers: [shell], inputs: { '/source': localFolder({ name: 'source', path: 'source' }) },
         argv: ['/bin/sh', '-euc', ${JSON.stringify(script)}], incremental: { folders: ['kept'], sources: ['/source'] } }) }`,
    ),
    'source/text': 'one\n',
  };
}
