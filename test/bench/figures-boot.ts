// rpi booted under `cairn run`, in software emulation with two processors, to a line that a container prints. The median of
// three starts: the same machine's mood differs by a third from one minute to another.

import { once } from 'node:events';
import { createReadStream, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { EmulatedMachine } from '../support/emulated-machine.ts';
import { builtOutput } from '../support/own-flake.ts';
import { median, type Figure } from './figure.ts';
import { inFolder } from './machine.ts';

const commandRan = 'runcmd was here';

interface Stage {
  readonly name: string;
  /** What the console says when it is reached. */
  readonly says: RegExp;
  readonly limitSeconds?: number;
}

const stages: readonly Stage[] = [
  { name: 'kernel', says: /Linux version/ },
  { name: 'systemd', says: /systemd\[1\]|Welcome to/ },
  { name: 'login prompt', says: / login: /, limitSeconds: 35 },
  { name: "cloud-init's command", says: new RegExp(commandRan), limitSeconds: 35 },
  { name: 'Docker has taken an image', says: /Loaded image: hello/ },
  { name: 'line of a container', says: /hello from a container/, limitSeconds: 40 },
];

export async function bootingAnImage(): Promise<Figure[]> {
  await builtOutput('rpi');
  await builtOutput('emulator');
  const container = join(await builtOutput('hello-container'), 'image.tar');
  return inFolder(async (folder) => {
    const server = await serve(container);
    const userData = join(folder, 'user-data');
    writeFileSync(userData, userDataFor((server.address() as AddressInfo).port));
    try {
      const starts: number[][] = [];
      for (let start = 0; start < 3; start += 1) starts.push(await bootOnce(userData));
      return stages.map((stage, at) =>
        figureOf(
          stage,
          starts.map((seconds) => seconds[at]!),
        ),
      );
    } finally {
      server.close();
    }
  });
}

/** When each stage was reached, in seconds. */
async function bootOnce(userData: string): Promise<number[]> {
  const options = ['--user-data', userData, '--processors', '2'];
  const machine = await EmulatedMachine.start({ image: 'rpi', options });
  try {
    return await Promise.all(
      stages.map(async ({ says }) => {
        await machine.waitFor(says);
        return machine.seconds;
      }),
    );
  } finally {
    await machine.end();
  }
}

function figureOf({ name, limitSeconds }: Stage, starts: readonly number[]): Figure {
  const seconds = median(starts);
  const range = `${Math.min(...starts).toFixed(1)} to ${Math.max(...starts).toFixed(1)} s`;
  return {
    what: `rpi, booted from the start of cairn run: ${name}`,
    measured: `${seconds.toFixed(1)} s (${range})`,
    yardstick: limitSeconds === undefined ? 'no limit of its own' : `limit ${limitSeconds} s`,
    ratio: limitSeconds === undefined ? undefined : seconds / limitSeconds,
    bound: '≤ 1',
    isMet: limitSeconds === undefined || seconds <= limitSeconds,
    command: 'cairn run rpi --processors 2 --user-data FILE',
  };
}

/** Gives the file to whoever connects: 10.0.2.2 in the machine is this one. */
async function serve(file: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    createReadStream(file).pipe(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

function userDataFor(port: number): string {
  const command = [
    `echo ${commandRan} >/dev/console`,
    `docker load </dev/tcp/10.0.2.2/${port} >/dev/console`,
    'docker run --rm hello:1 >/dev/console',
  ].join(' && ');
  return `#cloud-config\n${JSON.stringify({ runcmd: [['bash', '-c', command]] })}\n`;
}
