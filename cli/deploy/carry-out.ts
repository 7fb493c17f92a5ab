// The steps of a plan, done one after another on the machine. Each is whole or has not happened; what starts is whole at any
// moment.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack, type Pack } from 'tar-stream';
import { formatBootEntry, formatBootNumber, type PartitionIdentity } from './boot-entry.ts';
import { entryName, type Step } from './plan.ts';
import type { Remote } from './ssh.ts';
import type { WantedFile } from './wanted-kernel.ts';

export interface Delivery {
  readonly remote: Remote;
  /** Where the kernel's output lies on this machine. */
  readonly folder: string;
  /** The machine's boot partition. */
  readonly partition: PartitionIdentity;
}

/** In place of the digest of a kernel that runs and is not known. */
const unknownKernel = '0'.repeat(64);

/** Does one step. @throws what `Remote.call` does */
export async function carryOut(step: Step, { remote, folder, partition }: Delivery): Promise<void> {
  switch (step.kind) {
    case 'clear':
      await remote.call('clear', step.keep);
      return;
    case 'stage': {
      const { name, file, from } = step;
      if (from === 'sent') {
        const input = createReadStream(join(folder, file.path));
        await remote.call('stage', [name, file.sha256, '-'], { input });
      } else await remote.call('stage', [name, file.sha256, from.path]);
      return;
    }
    case 'modules': {
      const sums = sumsOf(step.files);
      const sent = step.sent.map((path) => [path, step.files.get(path)!] as const);
      const input = Readable.from(archiveOf(folder, { sums, sent }));
      const sum = createHash('sha256').update(sums).digest('hex');
      await remote.call('modules', [step.release, sum], { input });
      return;
    }
    case 'try': {
      const entry = formatBootEntry({ description: entryName, path: step.path }, partition);
      const next = formatBootNumber(step.entry);
      await remote.call('try', [
        variableOf(step.entry),
        escaped(entry),
        escaped(next),
        step.running ?? unknownKernel,
      ]);
      return;
    }
    case 'settle':
      await remote.call('settle', [step.to, step.file.sha256, step.name, step.running ?? unknownKernel]);
      return;
    case 'forget':
      await remote.call('forget', [variableOf(step.entry)]);
      return;
    case 'restart':
      await remote.call('restart', []);
      await remote.disconnect();
  }
}

function variableOf(entry: number): string {
  return `Boot${entry.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** As the shell's printf takes it. */
function escaped(bytes: Buffer): string {
  return [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}

function sumsOf(files: ReadonlyMap<string, WantedFile>): string {
  return [...files].map(([path, { sha256 }]) => `${sha256}  ${path}\n`).join('');
}

interface Sent {
  readonly sums: string;
  readonly sent: readonly (readonly [path: string, file: WantedFile])[];
}

function archiveOf(folder: string, { sums, sent }: Sent): Pack {
  const archive = pack();
  archive.entry({ name: 'sums' }, sums);
  void (async () => {
    for (const [path, { path: from, sizeBytes }] of sent) {
      const entry = archive.entry({ name: `files/${path}`, size: sizeBytes, mode: 0o644 });
      await pipeline(createReadStream(join(folder, from)), entry);
    }
    archive.finalize();
  })().catch((error: unknown) => archive.destroy(error as Error));
  return archive;
}
