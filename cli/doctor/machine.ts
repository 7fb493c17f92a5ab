// The machine as such: the processor, the kernel, the Node that runs us, and what it may open.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../store/base/package-root.ts';
import { fail, ok, warn, type Finding } from './finding.ts';

export function probeMachine(): Finding[] {
  return [platform(), node(), openFiles(readFileSync('/proc/self/limits', 'utf8'))];
}

function platform(): Finding {
  const found = `${process.platform}-${process.arch}`;
  return found === 'linux-x64'
    ? ok('machine', 'x86_64 Linux')
    : fail('machine', `${found}: steps run on x86_64 Linux only`, 'Use such a machine, or a virtual one.');
}

function node(): Finding {
  const path = join(packageRoot, 'package.json');
  const { engines } = JSON.parse(readFileSync(path, 'utf8')) as { engines: { node: string } };
  const least = engines.node.replace(/^>=/, '');
  return isAtLeast(process.versions.node, least)
    ? ok('node', process.versions.node)
    : fail('node', `${process.versions.node} is older than ${least}`, `Install Node ${least} or newer.`);
}

const comfortableOpenFiles = 4096;
const leastOpenFiles = 256;

/** What a process's limits (proc(5)) say of its open files; Node.js has raised its own as far as it may. */
export function openFiles(limits: string): Finding {
  const [, limit] = /^Max open files +(\d+|unlimited) /m.exec(limits) ?? [];
  const count = Number(limit);
  if (Number.isNaN(count) || count >= comfortableOpenFiles)
    return ok('open files', `${limit ?? 'any number'} at once`);
  const message = `${limit!} at once`;
  const hint = 'Raise it: `ulimit -Hn`, limits.conf(5), LimitNOFILE= of a service, --ulimit of a container.';
  return count < leastOpenFiles
    ? fail('open files', `${message} are too few`, hint)
    : warn('open files', `${message}; many steps together may need more`, hint);
}

function isAtLeast(version: string, least: string): boolean {
  const [a, b] = [version, least].map((text) => text.split('.').map(Number));
  const at = a!.findIndex((part, index) => part !== b![index]);
  return at < 0 || a![at]! > b![at]!;
}
