// The machine as such: the processor, the kernel, the Node that runs us.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../store/base/package-root.ts';
import { fail, ok, type Finding } from './finding.ts';

export function checkMachine(): Finding[] {
  return [platform(), node()];
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

function isAtLeast(version: string, least: string): boolean {
  const [a, b] = [version, least].map((text) => text.split('.').map(Number));
  const at = a!.findIndex((part, index) => part !== b![index]);
  return at < 0 || a![at]! > b![at]!;
}
