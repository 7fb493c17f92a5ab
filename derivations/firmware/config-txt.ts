// config.txt and cmdline.txt, which a Raspberry Pi's firmware reads, as functions of what is wanted. A person may edit
// both on the card; they say so themselves.

import { UserError } from '../../engine/model/index.ts';
import { rootArguments } from '../kernel/command-line.ts';
import { efiPrograms } from './efi-programs.ts';

/** Settings for one kind of board, with the reason as a comment in the file. */
export interface ConfigSection {
  /** A filter of config.txt: which boards the settings are for. */
  readonly board: 'all' | 'pi3' | 'pi3+' | 'pi02' | 'pi4' | 'pi400' | 'cm4' | 'pi5';
  readonly reason: string;
  readonly settings: Readonly<Record<string, string | number>>;
}

/** What every image has. */
export const usualConfig: readonly ConfigSection[] = [
  {
    board: 'all',
    reason: 'One 64-bit kernel for all boards, with the device trees that come with it.',
    settings: { arm_64bit: 1, kernel: efiPrograms['aarch64-linux'], upstream_kernel: 1 },
  },
  {
    board: 'all',
    reason: 'No screen: the least memory for graphics, and the firmware that is made for it.',
    settings: { gpu_mem: 16 },
  },
  { board: 'all', reason: 'A console on the serial pins (8 and 10).', settings: { enable_uart: 1 } },
  {
    board: 'pi5',
    reason: 'Its firmware would otherwise start only systems that it knows.',
    settings: { os_check: 0 },
  },
];

// The firmware ignores what is beyond this column.
const longestLine = 98;

/**
 * The text of config.txt.
 * @throws UserError `DERIVATION_INVALID` for a setting that the firmware would not read as it stands.
 * @example configTxt([...usualConfig, { board: 'pi4', reason: 'A fan at pin 14.', settings: { dtoverlay: 'gpio-fan' } }])
 */
export function configTxt(sections: readonly ConfigSection[]): string {
  const head = '# Read by the Raspberry Pi before Linux starts. A person may edit it on the card.\n';
  return head + sections.map(sectionText).join('');
}

/**
 * The text of cmdline.txt: Linux's command line, which has to be one line. The last console is the one that services
 * write to; the mini UART (ttyS1) is on the serial pins of a Pi 3 and 4, the PL011 (ttyAMA10) on the plug of a Pi 5.
 */
export function cmdlineTxt(further: readonly string[] = []): string {
  const consoles = ['console=tty0', 'console=ttyAMA10,115200', 'console=ttyS1,115200'];
  const words = [...consoles, rootArguments('aarch64-linux'), ...further];
  const broken = words.find((word) => /[\n\r]/.test(word));
  if (broken !== undefined) throw invalid('cmdline.txt', JSON.stringify(broken), 'it is one line');
  return `${words.join(' ')}\n`;
}

function sectionText({ board, reason, settings }: ConfigSection): string {
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  for (const line of lines) {
    if (/[\n\r]/.test(line)) throw invalid('config.txt', JSON.stringify(line), 'a setting is one line');
    if (line.length > longestLine)
      throw invalid('config.txt', `"${line}"`, `the firmware reads ${longestLine} characters of a line`);
  }
  return ['', `[${board}]`, `# ${reason}`, ...lines, ''].join('\n');
}

function invalid(file: string, what: string, rule: string): UserError {
  return new UserError('DERIVATION_INVALID', `${file} cannot have ${what}: ${rule}`, {
    hint: 'Write it shorter, or as several settings.',
  });
}
