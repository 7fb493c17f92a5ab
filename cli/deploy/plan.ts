// What has to be done on a machine so that it starts a kernel, in the order in which an interruption anywhere leaves it with
// one that starts. Pure.

import { settingFor } from '../images/config-txt.ts';
import type { DeviceFacts, DeviceFile } from './device-facts.ts';
import type { WantedFile, WantedKernel } from './wanted-kernel.ts';

/** Below the boot partition: what waits to be started, and what was before it. */
export const ownFolder = 'cairn';
/** What the firmware's entry is called; there is one at most. */
export const entryName = 'cairn deploy';

/** What one call of device.sh does. */
export type Step =
  /** Takes away what earlier deployments left behind, but for these. */
  | { readonly kind: 'clear'; readonly keep: readonly string[] }
  /** Puts a file beside those that start, as `name`. */
  | { readonly kind: 'stage'; readonly name: string; readonly file: WantedFile; readonly from: Origin }
  /** Exchanges the folder of modules of one release. */
  | {
      readonly kind: 'modules';
      readonly release: string;
      readonly files: ReadonlyMap<string, WantedFile>;
      /** By path, those that the machine does not have there. */
      readonly sent: readonly string[];
    }
  /** Has the firmware start what was staged, once. */
  | {
      readonly kind: 'try';
      readonly entry: number;
      readonly path: string;
      readonly running: string | undefined;
    }
  | { readonly kind: 'restart' }
  /** What was staged as `name` starts from now on: it becomes `to`, and what was there is kept. */
  | {
      readonly kind: 'settle';
      readonly name: string;
      readonly to: string;
      readonly file: WantedFile;
      readonly running: string | undefined;
    }
  /** Takes the firmware's entry back. */
  | { readonly kind: 'forget'; readonly entry: number };

/** From the person's machine, or from another place on the same partition. */
export type Origin = 'sent' | { readonly path: string };

export interface Plan {
  readonly steps: readonly Step[];
  /** Whether the kernel that is wanted is the one that runs. */
  readonly isRunning: boolean;
  /** Whether it is to be started once before it takes the place of the one before. */
  readonly hasToTry: boolean;
}

export interface PlanOptions {
  /** Whether a new kernel is started once before it takes the place of the one before. */
  readonly tries: boolean;
  readonly restarts: boolean;
}

/** Why a machine cannot be given that kernel, as the end of a sentence, and what to do. */
export interface Obstacle {
  readonly because: string;
  readonly hint: string;
}

const defaultPrograms: Readonly<Record<string, string>> = {
  aarch64: 'EFI/BOOT/BOOTAA64.EFI',
  x86_64: 'EFI/BOOT/BOOTX64.EFI',
};
/** What a Raspberry Pi's firmware starts when it is not told what. */
const usualKernel = 'kernel8.img';
/** Tables and folders take some room beside files. */
const spareBytes = 1024 * 1024;

/** The path of what starts, on the boot partition. */
export function startedPath({ way, config, processor }: DeviceFacts): string {
  if (way !== 'raspberry-pi') return defaultPrograms[processor] ?? '';
  // The last word counts, whichever board it is for: one kernel for all of them is what these images have.
  const boards = [...(config ?? '').matchAll(/^\s*\[(.*)\]/gm)].map((found) => found[1]!);
  return settingFor(boards, 'kernel', config ?? '') ?? usualKernel;
}

export function planDeployment(facts: DeviceFacts, wanted: WantedKernel, options: PlanOptions): Plan {
  const place = startedPath(facts);
  const isSettled = facts.files.get(place)?.sha256 === wanted.image.sha256;
  const running = runningKernel(facts);
  const isRunning = running === wanted.image.sha256;
  const trees = [...wanted.deviceTrees].filter(([name, { sha256 }]) => {
    const there = facts.files.get(name);
    return there !== undefined && there.sha256 !== sha256;
  });
  const modules = modulesStep(facts, wanted);
  const staged = [
    ...trees.map(([name, file]) => ({ name, to: name, file })),
    ...(isSettled ? [] : [{ name: stagedName(wanted.image), to: place, file: wanted.image }]),
  ];
  const settle = staged.map((file) => ({ kind: 'settle', ...file, running }) as const);
  const ours = ownEntry(facts);
  const forget = ours === undefined ? [] : [{ kind: 'forget', entry: ours } as const];
  // UEFI describes a machine itself; a Raspberry Pi is what its device tree says.
  const isUntried = facts.way === 'raspberry-pi' ? staged.length > 0 : !isSettled && !isRunning;
  const hasToTry = options.tries && isUntried;
  const finish: readonly Step[] = hasToTry ? tryStep(facts, wanted) : [...settle, ...forget];
  const steps: readonly Step[] = [
    ...(staged.length === 0 ? [] : [{ kind: 'clear', keep: staged.map(({ name }) => name) } as const]),
    ...staged.flatMap(({ name, file }) => stageStep(facts, name, file)),
    ...(modules === undefined ? [] : [modules]),
    ...finish,
    ...(options.restarts && !isRunning ? [{ kind: 'restart' } as const] : []),
  ];
  return { steps, isRunning, hasToTry };
}

/** What keeps a plan from being carried out; undefined when nothing does. */
export function obstacleTo(plan: Plan, facts: DeviceFacts, wanted: WantedKernel): Obstacle | undefined {
  const { way, processor, boot, lacks } = facts;
  const has = (kind: Step['kind']): boolean => plan.steps.some((step) => step.kind === kind);
  if (processor !== wanted.processor)
    return {
      because: `its processor is ${processor}, and ${wanted.what} is for ${wanted.processor}`,
      hint: `Name the same kernel for it, such as ${wanted.what.replace(/@.*/, '')}@${processor}-linux.`,
    };
  const programs = lacks.filter((name) => name !== 'efivars');
  if (programs.length > 0)
    return {
      because: `it has no ${programs.join(', no ')}`,
      hint: 'Images of this package set with ssh have these programs; add them to yours.',
    };
  if (way === 'other')
    return {
      because:
        'neither UEFI nor the firmware of a Raspberry Pi has started it, so nothing on its disk is what starts',
      hint: 'A machine of `cairn run --direct` is handed its kernel: start that anew.',
    };
  if (boot === undefined)
    return {
      because: 'no partition with fat32 is mounted at /boot that can be written to',
      hint: 'Mount it there, as the images do.',
    };
  const place = startedPath(facts);
  if (!facts.files.has(place))
    return {
      because: `its boot partition has no ${place}, which is what would start`,
      hint: 'Flash an image of this package set first.',
    };
  if (has('try') && way === 'raspberry-pi')
    return {
      because:
        "a Raspberry Pi's firmware is not asked to start a kernel once by the kernels of this package set",
      hint: 'With --no-try the new kernel takes the place of the former at once, which is kept in cairn/previous of the boot partition.',
    };
  if (has('try') && lacks.includes('efivars'))
    return {
      because:
        "its firmware's variables cannot be reached (efivarfs), so it cannot be asked to start a kernel once",
      hint: 'Real-time kernels keep away from firmware unless `efi=runtime` is on their command line. Or say --no-try.',
    };
  if (has('try') && mixesModules(plan, facts))
    return {
      because: `it has other modules of the same release (${facts.release}), and the kernel that runs would be left with the new ones if it had to go back`,
      hint: 'Give the new kernel a release of its own (LOCALVERSION), or say --no-try.',
    };
  const neededBytes = bytesOnBoot(plan, facts);
  if (neededBytes > boot.freeBytes)
    return {
      because: `its boot partition has ${mib(boot.freeBytes)} free, and ${mib(neededBytes)} are needed: for the new kernel, and for the former beside it`,
      hint: 'Take away what is not needed there, such as the folder cairn/previous.',
    };
  return undefined;
}

/** What has to be sent, with the paths that the machine gets it at. */
export function sentFiles({ steps }: Plan): readonly { readonly path: string; readonly sizeBytes: number }[] {
  return steps.flatMap((step) => {
    if (step.kind === 'stage' && step.from === 'sent')
      return [{ path: step.file.path, sizeBytes: step.file.sizeBytes }];
    if (step.kind !== 'modules') return [];
    return step.sent.map((path) => {
      const { path: full, sizeBytes } = step.files.get(path)!;
      return { path: full, sizeBytes };
    });
  });
}

/** The digest of the kernel that runs; undefined when it is not known. */
function runningKernel(facts: DeviceFacts): string | undefined {
  if (facts.running !== undefined) return facts.running;
  if (facts.way === 'other') return undefined;
  const entry = facts.current === undefined ? undefined : facts.entries.get(facts.current);
  const path = entry?.description === entryName ? entry.path : startedPath(facts);
  return path === undefined ? undefined : facts.files.get(path)?.sha256;
}

export function stagedName({ sha256 }: WantedFile): string {
  return `${sha256.slice(0, 16)}.efi`;
}

function ownEntry({ entries }: DeviceFacts): number | undefined {
  return [...entries].find(([, entry]) => entry?.description === entryName)?.[0];
}

/** Far from the numbers that firmware and installers give out themselves. */
const firstEntry = 0x0c00;

function tryStep(facts: DeviceFacts, { image }: WantedKernel): readonly Step[] {
  let entry = ownEntry(facts) ?? firstEntry;
  // One of ours is written over; another's never.
  while (facts.entries.has(entry) && facts.entries.get(entry)?.description !== entryName) entry++;
  const path = `${ownFolder}/${stagedName(image)}`;
  return [{ kind: 'try', entry, path, running: runningKernel(facts) }];
}

function stageStep({ files }: DeviceFacts, name: string, file: WantedFile): readonly Step[] {
  if (files.get(`${ownFolder}/${name}`)?.sha256 === file.sha256) return [];
  const [elsewhere] = [...files].find(([, { sha256 }]: [string, DeviceFile]) => sha256 === file.sha256) ?? [];
  return [{ kind: 'stage', name, file, from: elsewhere === undefined ? 'sent' : { path: elsewhere } }];
}

function modulesStep({ modules: there }: DeviceFacts, { modules }: WantedKernel): Step | undefined {
  if (modules === undefined) return undefined;
  const sent = [...modules.files]
    .filter(([path, { sha256 }]) => there?.get(path) !== sha256)
    .map(([path]) => path);
  const isSame = there !== undefined && sent.length === 0 && there.size === modules.files.size;
  return isSame ? undefined : { kind: 'modules', release: modules.release, files: modules.files, sent };
}

/** Lists of what is built in do no harm beside another kernel of that release; code does. */
function mixesModules({ steps }: Plan, { release, modules }: DeviceFacts): boolean {
  return steps.some(
    (step) =>
      step.kind === 'modules' &&
      step.release === release &&
      [...step.sent, ...(modules?.keys() ?? [])].some(
        (path) => /\.ko(\.\w+)?$/.test(path) && modules?.get(path) !== step.files.get(path)?.sha256,
      ),
  );
}

/** What the steps write at most, less what they take away first; what was kept before the last one makes room, too. */
function bytesOnBoot({ steps }: Plan, { files }: DeviceFacts): number {
  const kept = new Set(steps.flatMap((step) => (step.kind === 'clear' ? step.keep : [])));
  const hasClear = steps.some(({ kind }) => kind === 'clear');
  const freed = [...files]
    .filter(([path]) => hasClear && new RegExp(`^${ownFolder}/[^/]+$`).test(path))
    .filter(([path]) => !kept.has(path.slice(ownFolder.length + 1)));
  const staged = steps.flatMap((step) => (step.kind === 'stage' ? [step.file.sizeBytes] : []));
  const former = steps.flatMap((step) => {
    const to = step.kind === 'settle' ? step.to : undefined;
    return to === undefined ? [] : [files.get(to)?.sizeBytes ?? 0];
  });
  // A try is followed by what settles it.
  const later = steps.some(({ kind }) => kind === 'try') ? [Math.max(0, ...startedSizes(files))] : [];
  const all = [...staged, ...former, ...later].reduce((sum, size) => sum + size, 0);
  if (all === 0) return 0;
  return Math.max(0, all + spareBytes - freed.reduce((sum, [, { sizeBytes }]) => sum + sizeBytes, 0));
}

function startedSizes(files: ReadonlyMap<string, DeviceFile>): readonly number[] {
  return [...files].filter(([path]) => path.startsWith('EFI/')).map(([, { sizeBytes }]) => sizeBytes);
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
