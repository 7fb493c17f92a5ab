// What `cairn run --direct` adds to starting QEMU by hand on the same kernel and root: the smallest image, in software
// emulation, until its shell waits for a line. One after the other in the same run, for the machine's mood is both's.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConsoleText } from '../support/console-text.ts';
import { EmulatedMachine } from '../support/emulated-machine.ts';
import { builtOutput, imageTestsConfig } from '../support/own-flake.ts';
import { atMost, median, seconds, type Figure } from './figure.ts';

const prompt = /root@smallest:~# /;
const rounds = 5;

/** What the issue of a quick boot allows. */
const mostMoreMs = 3000;

export async function bootingDirectly(): Promise<Figure[]> {
  const parts = await builtOutput('smallest-direct', imageTestsConfig);
  const emulator = await builtOutput('emulator', imageTestsConfig);
  const byHand: number[] = [];
  const ours: number[] = [];
  for (let round = 0; round < rounds; round++) {
    byHand.push(await startByHand(emulator, parts));
    ours.push(await startByCairn());
  }
  const [hand, direct] = [median(byHand), median(ours)];
  return [
    {
      what: 'smallest, from `cairn run --direct` to its shell',
      measured: `${seconds(direct)}, ${seconds(direct - hand)} more`,
      yardstick: `QEMU by hand ${seconds(hand)}; ${seconds(mostMoreMs)} more is allowed`,
      ...atMost((direct - hand) / mostMoreMs, 1),
      command: `cairn run smallest --direct --processors 2 --config ${imageTestsConfig}`,
    },
  ];
}

async function startByCairn(): Promise<number> {
  const options = ['--direct', '--processors', '2', '--config', imageTestsConfig];
  const machine = await EmulatedMachine.start({ image: 'smallest', options });
  try {
    await machine.waitFor(prompt);
    return machine.seconds * 1000;
  } finally {
    await machine.end();
  }
}

/** As a person would who has the two files: the root is the whole disk. */
async function startByHand(emulator: string, parts: string): Promise<number> {
  const { machine, cpu, memoryMb } = JSON.parse(readFileSync(join(parts, 'run.json'), 'utf8')) as {
    readonly machine: string;
    readonly cpu: string;
    readonly memoryMb: number;
  };
  const loader = join(emulator, 'usr/lib64/ld-linux-x86-64.so.2');
  const argv = [
    ...['--library-path', join(emulator, 'usr/lib/x86_64-linux-gnu')],
    join(emulator, 'usr/bin/qemu-system-aarch64'),
    ...['-nodefaults', '-display', 'none', '-serial', 'mon:stdio', '-machine', machine, '-cpu', cpu],
    ...['-accel', 'tcg,thread=multi', '-smp', '2', '-m', String(memoryMb)],
    ...['-kernel', join(parts, 'kernel'), '-append', 'root=/dev/vda rw console=ttyAMA0'],
    ...['-drive', `if=none,id=disk,format=raw,snapshot=on,file=${join(parts, 'root.part')}`],
    ...['-device', 'virtio-blk-pci,drive=disk', '-device', 'virtio-rng-pci'],
  ];
  const startedMs = performance.now();
  const child = spawn(loader, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  const console = new ConsoleText();
  const ended = once(child, 'close').then(() => console.close());
  child.stdout.setEncoding('utf8').on('data', (text: string) => console.add(text));
  try {
    if ((await console.find(prompt, { from: 0, seconds: 300 })) === undefined)
      throw new Error(`QEMU by hand did not get to a shell:\n${console.text.slice(-3000)}`);
    return performance.now() - startedMs;
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}
