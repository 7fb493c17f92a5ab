// cairn audit: what in images has newer versions, and which CVEs those fix; for scanners too.

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { loadFlake, lockPathOf } from '../../engine/index.ts';
import {
  audit,
  judge,
  levels,
  reaches,
  vexDocument,
  vexStatements,
  type AuditedPart,
  type Judgement,
  type Level,
} from '../../engine/audit/index.ts';
import { readLock } from '../../engine/lock/index.ts';
import { openMirrors } from '../../engine/sources/index.ts';
import { UserError } from '../../store/base/errors.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { partsOfImage } from '../images/audited-parts.ts';
import { ruleOut, type ImageToRuleOut } from '../images/ruled-out.ts';
import { configOf, openWholeProject, openProject, type Project } from '../project/project.ts';
import { openRenderer } from '../render/open-renderer.ts';
import { plainText } from '../render/plain-text.ts';
import { formatCount } from '../render/units.ts';
import { auditLines, auditRecords } from '../reports/audit-report.ts';
import { withNamedPath } from '../reports/persons-error.ts';
import { writeRecords } from '../records/write-records.ts';

interface AuditFlags {
  readonly level: Level;
  readonly cveRecords?: string;
  readonly vex?: string;
  readonly author: string;
}

export const define: DefineCommand = (command, runs) => {
  const level = command
    .createOption('--level <level>', 'status 5 when something of this level, or a graver one, is open')
    .choices(levels)
    .default('security');
  command
    .argument('[output...]', 'images; all of the flake when none is named')
    .addOption(level)
    .option('--cve-records <folder>', 'records of CVEs (JSON 5), for what kernels have no code of')
    .option('--vex <file>', 'write what is known of each CVE to this file, as OpenVEX for scanners')
    .option('--author <who>', 'who says so in that file', 'unknown')
    .action(runs(auditImages));
  addHelpNotes(command, {
    about:
      'Compares what an image is made of with what its suites list now, by the signatures of their archives, and reads the\n' +
      'changelogs of what is newer. Nothing is built, and no pin is moved: `cairn lock` does that.\n\n' +
      'Levels, from the least: update (it is newer), security (it is in the archive of security updates), cve (it fixes\n' +
      'CVEs, or its changelog cannot be read). What the config waives is shown and does not count.\n\n' +
      'With --cve-records, a CVE of the kernel is ruled out when its record names the files that it is in, and none of them is\n' +
      'in what was built: for that, each kernel of the images must have been built here.',
    examples: [
      ['cairn audit rpi', 'what of the image is open'],
      ['cairn audit --level cve', 'of all images; status 5 for known CVEs alone'],
      [
        'cairn audit rpi --cve-records ../vulns/cve --vex rpi.vex.json --author security@example.org',
        'the same for scanners, less what its kernel has no code of',
      ],
    ],
    exitCodes: [0, 1, 2, 5, 130],
  });
};

async function auditImages(context: Context, flags: AuditFlags, names: readonly string[]): Promise<ExitCode> {
  const { out, shared, signal, env } = context;
  const renderer = openRenderer(context);
  const onNotice = (message: string): void => renderer.emit({ type: 'notice', message, step: undefined });
  const open = names.length === 0 ? openWholeProject : openProject;
  await using project = await open(context, { targets: names, emit: renderer.emit });
  try {
    const images = imagesOf(project, names);
    const { mirrors, waivers } = await flakeOf(context, project);
    const audited = await audit(partsOf(images), {
      lock: readLock(lockPathOf(configOf(context))),
      mirrors: openMirrors({ configured: mirrors, env }),
      signal,
      onNotice,
      onDownload: (what) => onNotice(`reading Debian's ${what}`),
    });
    const now = new Date().toISOString();
    const { cveRecords, vex } = flags;
    const ruledOut =
      cveRecords === undefined
        ? undefined
        : await withNamedPath(
            cveRecords,
            () => ruleOut(project, images, audited.findings, { records: resolve(cveRecords), onNotice }),
            'read',
          );
    const judgement = judge(audited.findings, waivers, now.slice(0, 10), ruledOut);
    if (vex !== undefined) {
      const statements = vexStatements(judgement.findings, partsOf(images));
      const { author } = flags;
      const document = vexDocument(statements, { author, timestamp: now, tooling: 'cairn audit' });
      await withNamedPath(vex, () => writeFile(resolve(vex), `${JSON.stringify(document, undefined, 1)}\n`));
      onNotice(`${formatCount(statements.length, 'statement')}, in ${vex}`);
    }
    tellOfWaivers(judgement, names.length === 0, onNotice);
    await renderer.close();
    const report = { images: images.map(({ key }) => key), audited, judgement };
    if (shared.json === true) writeRecords(out, auditRecords(report));
    else out.lines(auditLines(report, out.style));
    const isOpen = judgement.findings.some(({ level }) => reaches(level, flags.level));
    return isOpen ? exitCodes.open : exitCodes.ok;
  } finally {
    await renderer.close();
  }
}

function imagesOf({ evaluation, find }: Project, names: readonly string[]): readonly ImageToRuleOut[] {
  if (names.length === 0) {
    const images = [...evaluation.outputs].flatMap(([key, { id }]) => {
      const parts = partsOfImage(evaluation, { key, id });
      return parts === undefined ? [] : [{ key, id, parts }];
    });
    if (images.length > 0) return images;
    throw new UserError('USAGE', 'there is nothing to audit: no output of the flake is an image', {
      hint: '`cairn lock --dry-run` says which of its pins have newer versions.',
    });
  }
  return names.map((name) => {
    const { key, id } = find(name);
    const parts = partsOfImage(evaluation, { key, id });
    if (parts !== undefined) return { key, id, parts };
    throw new UserError('USAGE', `${key} is not an image: nothing says what it is made of`, {
      hint: '`cairn list` says what the outputs are; `cairn lock --dry-run` which pins have newer versions.',
    });
  });
}

/** Each part once, however many images have it. */
function partsOf(images: readonly ImageToRuleOut[]): readonly AuditedPart[] {
  const all = images.flatMap(({ parts }) => parts);
  return [...new Map(all.map((part) => [JSON.stringify(part), part])).values()];
}

// An evaluation that was kept has no waivers: they change nothing of what is built.
function flakeOf({ err, interruption, ...context }: Context, { store }: Project) {
  const onPrint = (text: string): void => err.write(plainText(text));
  const configPath = configOf({ err, interruption, ...context });
  return loadFlake({ configPath, store, onPrint, computing: interruption.computing });
}

// A waiver of something in another image is not unused.
function tellOfWaivers(
  { expired, unused }: Judgement,
  isWhole: boolean,
  onNotice: (message: string) => void,
): void {
  for (const { source, cve = 'any version', until } of expired)
    onNotice(`the waiver of ${source} (${cve}) was good until ${until}: it does not count any more`);
  if (!isWhole) return;
  for (const { source, cve = 'any version' } of unused)
    onNotice(`the waiver of ${source} (${cve}) is not needed: nothing of it is open`);
}
