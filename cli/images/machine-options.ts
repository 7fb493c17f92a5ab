// What the command line says of a machine, as values. Knows no command.

import { InvalidArgumentError } from 'commander';

/** For an option that may be given more than once. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  if (text.trim() === '') throw new InvalidArgumentError('Give a text that is not empty.');
  return [...before, text];
}

export function parsePort(text: string): number {
  const port = Number(text);
  const isUsual = Number.isInteger(port) && port >= 1024 && port <= 65_535;
  if (isUsual || text === '0') return port;
  throw new InvalidArgumentError('Give a number from 1024 to 65535, or 0 for any port that is free.');
}

/** In MiB, as QEMU counts. */
export function parseMemory(text: string): number {
  const [, amount, unit = 'M'] = /^(\d{1,9}) ?(?:([MG])(?:i?B)?)?$/i.exec(text.trim()) ?? [];
  if (amount === undefined) throw new InvalidArgumentError('Give a size such as 512M or 2G.');
  return Number(amount) * (unit.toUpperCase() === 'G' ? 1024 : 1);
}
