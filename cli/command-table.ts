// Which commands there are. A command's own file is loaded when that command is asked for, so that starting costs the
// same however many there are.

import type { DefineCommand } from './command.ts';

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<{ readonly define: DefineCommand }>;
}

/** In the order in which help lists them. */
export const commandGroups: readonly {
  readonly heading: string;
  readonly commands: readonly CommandEntry[];
}[] = [
  {
    heading: 'Build:',
    commands: [
      { name: 'init', summary: 'a project that builds at once', load: () => import('./commands/init.ts') },
      { name: 'build', summary: 'build outputs', load: () => import('./commands/build.ts') },
      {
        name: 'watch',
        summary: 'build again and again, as files change',
        load: () => import('./commands/watch.ts'),
      },
      { name: 'list', summary: 'what there is to build', load: () => import('./commands/list.ts') },
      { name: 'why', summary: 'why an output would be built again', load: () => import('./commands/why.ts') },
      { name: 'check', summary: 'build again and compare', load: () => import('./commands/check.ts') },
      {
        name: 'exec',
        summary: 'a program of an output, in the sandbox',
        load: () => import('./commands/exec.ts'),
      },
      { name: 'shell', summary: "a shell in a step's sandbox", load: () => import('./commands/shell.ts') },
    ],
  },
  {
    heading: 'Kernel:',
    commands: [
      {
        name: 'kernel',
        summary: 'a kernel by hand: its configuration, a series of commits',
        load: () => import('./commands/kernel.ts'),
      },
      {
        name: 'bisect',
        summary: 'the first commit with which a command fails',
        load: () => import('./commands/bisect.ts'),
      },
      {
        name: 'deploy',
        summary: 'a kernel onto a machine that runs',
        load: () => import('./commands/deploy.ts'),
      },
    ],
  },
  {
    heading: 'Look at outputs:',
    commands: [
      { name: 'ls', summary: 'list files of an output', load: () => import('./commands/ls.ts') },
      { name: 'cat', summary: 'print a file of an output', load: () => import('./commands/cat.ts') },
      { name: 'path', summary: 'where an output lies on disk', load: () => import('./commands/path.ts') },
      { name: 'log', summary: 'the log of a step', load: () => import('./commands/log.ts') },
      {
        name: 'diff',
        summary: 'compare two outputs, or two images',
        load: () => import('./commands/diff.ts'),
      },
      { name: 'graph', summary: 'draw what needs what', load: () => import('./commands/graph.ts') },
    ],
  },
  {
    heading: 'Images:',
    commands: [
      {
        name: 'run',
        summary: 'start an image in an emulated machine',
        load: () => import('./commands/run.ts'),
      },
      {
        name: 'flash',
        summary: 'write an image to a card or disk',
        load: () => import('./commands/flash.ts'),
      },
      { name: 'image', summary: 'what an image is made of', load: () => import('./commands/image.ts') },
    ],
  },
  {
    heading: 'Caches:',
    commands: [
      { name: 'cache', summary: 'what others have built', load: () => import('./commands/cache.ts') },
      { name: 'key', summary: 'keys to sign with', load: () => import('./commands/key.ts') },
      {
        name: 'provenance',
        summary: 'how an output was made, signed',
        load: () => import('./commands/provenance.ts'),
      },
    ],
  },
  {
    heading: 'Sources, store and machine:',
    commands: [
      { name: 'lock', summary: 'update pins', load: () => import('./commands/lock.ts') },
      {
        name: 'audit',
        summary: 'what in images is out of date, and which CVEs that leaves',
        load: () => import('./commands/audit.ts'),
      },
      {
        name: 'fetch',
        summary: 'collect the sources of an output',
        load: () => import('./commands/fetch.ts'),
      },
      { name: 'store', summary: 'the local store', load: () => import('./commands/store.ts') },
      { name: 'doctor', summary: 'what this machine lacks', load: () => import('./commands/doctor.ts') },
      {
        name: 'completion',
        summary: 'completion for a shell',
        load: () => import('./commands/completion.ts'),
      },
    ],
  },
];
/** For the completion scripts. */
export const hiddenCommand: CommandEntry = {
  name: '__complete',
  summary: 'what can follow the given words',
  load: () => import('./commands/complete.ts'),
};
