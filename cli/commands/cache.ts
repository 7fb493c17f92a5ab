// cairn cache: what a team has built, for all of it. Each of its commands has a file of its own in cache/.

import type { DefineCommand } from '../command.ts';
import { addHelpNotes } from '../help.ts';
import { definePull } from './cache/pull.ts';
import { definePush } from './cache/push.ts';
import { defineServe } from './cache/serve.ts';
import { defineStatus } from './cache/status.ts';
import { defineVerify } from './cache/verify.ts';

export const define: DefineCommand = (command, runs, describe) => {
  const commands = [definePush, definePull, defineStatus, defineVerify, defineServe];
  for (const defineCommand of commands) defineCommand(command, runs, describe);
  command.helpCommand(false);
  addHelpNotes(command, {
    about:
      'A cache is a folder (file:///folder), a web server (https://host/path), a bucket (s3://bucket/path),\n' +
      'a repository of a container registry (oci://host/name) or a Remote Execution API server\n' +
      '(grpcs://host:port/instance). The config names those of a project (`caches`, `trust`),\n' +
      "~/.config/cairn/caches.json a person's own.",
    examples: [
      ['cairn cache push lsb --to file:///srv/cairn', 'sign and bring there what this machine has built'],
      ['cairn cache status lsb', 'what would be taken, what built'],
      ['cairn cache pull lsb', 'take it, and build nothing'],
      ['cairn cache serve lsb', 'be the cache that others name'],
    ],
    exitCodes: [0, 1, 2, 20, 130],
  });
};
