// What the READMEs say of the command line: each command that they name is there, with its options, and each line that
// they show is one that it prints. What zlib's build prints is compared word for word where it is built, in test/e2e/.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../store/base/package-root.ts';
import { testProject } from './cairn.ts';

const readmes = [
  'README.md',
  ...['cli', 'engine', 'store', 'derivations'].flatMap((room) =>
    readdirSync(join(packageRoot, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(room, name)),
  ),
];
const text = (name: string): string => readFileSync(join(packageRoot, name), 'utf8');

/** What stands behind the word cairn in code, up to where a shell would end the command. */
function commandsIn(readme: string): string[] {
  const code = [...readme.matchAll(/```\w*\n([^]*?)```|`([^`\n]+)`/g)].map((found) => found[1] ?? found[2]!);
  return code.flatMap((piece) =>
    [...piece.matchAll(/(?:^|&& |\$ )(?:npx )?cairn ([a-z][^#\n&|]*)/gm)].map((found) => found[1]!.trim()),
  );
}

const commands = [...new Set(readmes.flatMap((name) => commandsIn(text(name))))];

describe('the READMEs', () => {
  it('name commands and options that are there', async () => {
    const project = testProject();
    const helps = new Map<string, Promise<string>>();
    const helpOf = (words: string): Promise<string> => {
      const help =
        helps.get(words) ?? project.run(...words.split(' '), '--help').then(({ stdout }) => stdout);
      helps.set(words, help);
      return help;
    };
    expect(commands.length).toBeGreaterThan(20);
    for (const command of commands) {
      const words = command.split(/ +/);
      const isGroup = (await helpOf(words[0]!)).includes('\nCommands:\n');
      const name = words.slice(0, isGroup ? 2 : 1).join(' ');
      const help = await helpOf(name);
      expect(help, command).toContain(`Usage: cairn ${name}`);
      const options = words.flatMap((word) => {
        if (word.startsWith('--')) return word === '--' ? [] : [word];
        return /^-[a-zA-Z]+$/.test(word) ? Array.from(word.slice(1), (letter) => `-${letter}`) : [];
      });
      for (const option of options)
        expect(help, command).toMatch(new RegExp(`(^|[ ,])${option}([ ,]|$)`, 'm'));
    }
  });
});

const duration = String.raw`(\d+ ms|\d+\.\d s|\d+ m \d\d s|\d+ h \d\d m)`;
const size = String.raw`\d+(\.\d)? [kMGT]?B`;
const step = String.raw`[\w.+-]+@(aarch64|x86_64)-linux`;
const anyStep = String.raw`(${step}|(fetch|unpack|write|compose|local) [\w.+-]+)`;
const reason =
  '(changed(: .+)?|inputs changed: .+|never built before|its output is gone from the store|asked for)';

/** Every line that the README shows is of one of these forms; beside each, where the form comes from. */
const forms: readonly (readonly [source: string, form: string])[] = [
  ['cli/render/lines.ts', `start ${step}`],
  ['cli/render/lines.ts', `built ${step} \\(${duration}\\)`],
  ['cli/render/lines.ts', String.raw`local [\w-]+ is the folder /\S+ \(commit [0-9a-f]{12}, changed since\)`],
  ['cli/reports/build-report.ts', String.raw`\d+ built in ${duration}`],
  [
    'cli/reports/build-report.ts',
    String.raw`${step}  [0-9a-f]{16}  [\d,]+ files?  ${size}  (built|same as before, found) in ${duration}`,
  ],
  ['cli/reports/build-report.ts', String.raw`  [\w-]+ +[\d,]+ files? +${size}  \S.*`],
  [
    'cli/reports/audit-report.ts',
    String.raw`[\w.+-]+ +\S+ → \S+ +(built here)? +(update|security|cve|waived)`,
  ],
  ['cli/reports/audit-report.ts', String.raw`  fixes CVE-[\d-]+(, CVE-[\d-]+)*( and \d+ more)?`],
  ['cli/reports/audit-report.ts', String.raw`  waived until \d{4}-\d\d-\d\d: CVE-[\d-]+: \S.*`],
  ['cli/commands/init.ts', String.raw`created \S+`],
  ['cli/commands/init.ts', String.raw`next: cd \S+ && cairn build`],
  ['cli/commands/ls.ts', String.raw`(tree|prog|file) +\d* *[0-9a-f]{16}  \S+`],
  ['cli/commands/ls.ts', String.raw`link +\S+ -> \S+`],
  ['cli/commands/check.ts', `(identical|different|failed)  ${step}`],
  [
    'cli/commands/check.ts',
    String.raw`[\d,]+ steps? built again: \d+ identical(, \d+ different)?(, \d+ failed)?`,
  ],
  ['cli/reports/plan-report.ts', String.raw`${anyStep} +(${duration})?  ${reason}`],
  [
    'cli/reports/plan-report.ts',
    String.raw`to do(, at most)?: \d+ commands?(, \d+ downloads?( \(${size}\))?)?(, \d+ archives? to unpack)?(, \d+ small steps?)?; the commands took ${duration} of work the last time`,
  ],
  ['cli/watch/tell.ts', String.raw`waiting for changes in \d+ folders? and the config \(Ctrl-C ends\)`],
  ['cli/watch/tell.ts', String.raw`changed \S+(, \S+)*`],
  ['cli/render/failures.ts', String.raw`failed ${step} after ${duration}: .+ \[[A-Z_]+\]`],
  ['cli/render/failures.ts', '  │ .+'],
  ['cli/render/failures.ts', String.raw`  described at: \S+/flake-like\.config\.ts:\d+:\d+`],
  ['cli/render/failures.ts', String.raw`  all of the log: \S+/logs/\S+\.log`],
  ['cli/render/failures.ts', String.raw`  its folder: \S+`],
  ['cli/render/failures.ts', '  next: .+'],
];

describe('what the README shows', () => {
  const shown = [...text('README.md').matchAll(/```\n([^]*?)```/g)].map((block) => block[1]!);
  const transcripts = shown.map((block) => block.split('\n').filter((line) => line.trim() !== ''));
  const lines = transcripts.flatMap((all) => all.filter((line) => !/^(\$ )?(npx|npm) |^ *…$/.test(line)));

  it.each(lines)('%s', (line) => {
    expect(forms.filter(([, form]) => new RegExp(`^${form}$`).test(line)).length).toBeGreaterThan(0);
  });

  it('is of all the forms that are listed, and no form is there for nothing', () => {
    const unused = forms.filter(([, form]) => !lines.some((line) => new RegExp(`^${form}$`).test(line)));
    expect(unused).toEqual([]);
  });
});
