// From a save to the build that it starts, in a watch of a small folder and of one as large as a kernel's sources.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atMost, median, seconds, type Figure } from './figure.ts';
import { inFolder } from './machine.ts';
import { cairn } from './process.ts';

const bound = 300;
const saves = 10;
const small = { folders: 10, files: 100 } as const;
/** Linux 6.12 has as many. */
const kernel = { folders: 5800, files: 86_000 } as const;

export async function watching(): Promise<Figure[]> {
  return [await savesIn('a small folder', small), await savesIn('86,000 files in 5,800 folders', kernel)];
}

async function savesIn(what: string, size: typeof small | typeof kernel): Promise<Figure> {
  return inFolder(async (folder) => {
    const [project, env] = [join(folder, 'project'), { CAIRN_STORE: join(folder, 'store') }];
    mkdirSync(project);
    writeFileSync(join(project, 'flake-like.config.ts'), config);
    writeSources(join(project, 'source'), size);
    const watch = new Watched(project, env);
    await watch.until('"waiting"');
    // Until all folders are watched, everything is looked at.
    await watch.quiet();
    const times: number[] = [];
    for (let save = 0; save < saves; save++) {
      const startedMs = performance.now();
      writeFileSync(join(project, 'source/0/0.c'), `save ${save}\n`);
      await watch.until('"step-started"');
      times.push(performance.now() - startedMs);
      await watch.until('"waiting"');
    }
    const { residentMb, watches } = watch.sizes();
    await watch.end();
    return {
      what: `one save to the start of its build, in ${what}`,
      measured: `${seconds(median(times))} (${residentMb} MB, ${watches} inotify watches)`,
      yardstick: `${bound} ms`,
      ...atMost(median(times) / bound, 1),
      command: 'cairn watch all --json',
    };
  });
}

const config = `import { compose, defineFlake, localFolder } from 'cairn-build';
const source = localFolder({ name: 'source', path: './source' });
export default defineFlake({ description: 'a benchmark', inputs: {}, outputs: () => ({ all: compose({ name: 'all', parts: [source] }) }) });
`;

function writeSources(
  folder: string,
  { folders, files }: { readonly folders: number; readonly files: number },
): void {
  for (let at = 0; at < folders; at++) mkdirSync(join(folder, `${at}`), { recursive: true });
  for (let at = 0; at < files; at++) writeFileSync(join(folder, `${at % folders}/${at}.c`), `int f${at};\n`);
}

class Watched {
  readonly #child;
  #text = '';
  #news = (): void => undefined;

  constructor(project: string, env: Readonly<Record<string, string>>) {
    const [program, ...words] = [...cairn, 'watch', 'all', '--json'];
    this.#child = spawn(program, words, {
      cwd: project,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child.stdout.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString();
      this.#news();
    });
  }

  /** Waits for a record with this in it, and forgets what came before. */
  async until(word: string): Promise<void> {
    while (!this.#text.includes(word)) await new Promise<void>((resolve) => (this.#news = resolve));
    this.#text = this.#text.slice(this.#text.indexOf(word) + word.length);
  }

  /** Waits until it has used next to no processor time for a while. */
  async quiet(): Promise<void> {
    for (let before = -1; before !== this.#ticks();) {
      before = this.#ticks();
      await new Promise((resolve) => setTimeout(resolve, 3000));
    }
  }

  sizes(): { readonly residentMb: number; readonly watches: number } {
    const { pid } = this.#child;
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    const infos = readdirSync(`/proc/${pid}/fdinfo`).map((name) =>
      readFileSync(`/proc/${pid}/fdinfo/${name}`, 'utf8'),
    );
    const watches = infos.reduce((sum, info) => sum + (info.match(/^inotify /gm)?.length ?? 0), 0);
    return { residentMb: Math.round(Number(kilobytes) / 1000), watches };
  }

  /** What it is about may go when it has ended. */
  async end(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    await ended;
  }

  // User and system time (proc_pid_stat(5)), in hundredths of a second; rounded, so that a timer is no work.
  #ticks(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
    return Math.round((Number(fields[11]) + Number(fields[12])) / 5);
  }
}
