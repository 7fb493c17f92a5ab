// flake-like.lock: its form, reading and writing. It is reviewed like code but believed like a download: everything in
// it is checked. Knows nothing of where pins come from.
//
// {"version": 1, "inputs": {"<name>": {"declaration": {…}, "servedAt"?: "2026-11-30T14:04:57Z", "pins": [{name, version, urls, sha256, sizeBytes, source?}, …]}}}

import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { UserError } from '../../store/base/errors.ts';
import { mapByName } from '../../store/base/map-by-name.ts';
import { readNamedText, UnreadableFile } from '../../store/base/named-file.ts';
import type { LockedDeclaration, PinnedFile, PinnedFiles, SourcePackage } from '../model/flake.ts';
import { CheckedValue, InvalidValue } from './checked-value.ts';
import { checkDeclaration, packagePattern, packageWords, urlPattern } from './declaration.ts';
import { locateJson } from './json-lines.ts';

export interface Lock {
  readonly version: 1;
  readonly inputs: Readonly<Record<string, LockedInput>>;
}

/** The pins of one input, and what they were asked for with. */
export interface LockedInput {
  readonly declaration: LockedDeclaration;
  /** When Debian's mirrors were last found to serve all of it, in UTC: what has left them since is kept by that day. */
  readonly servedAt?: string;
  readonly pins: PinnedFiles;
}

export const emptyLock: Lock = { version: 1, inputs: mapByName() };

/** The lock file at `path`; without one, nothing is locked. @throws UserError `LOCK_INVALID` with file and line. */
export function readLock(path: string): Lock {
  try {
    const text = readNamedText(path);
    return text === undefined ? emptyLock : parseLock(text, path);
  } catch (error) {
    if (error instanceof UnreadableFile) throw invalid(path, undefined, `it cannot be read: ${error.reason}`);
    throw error;
  }
}

/** The lock in `text`; `path` is for messages. @throws UserError `LOCK_INVALID` with file and line. */
export function parseLock(text: string, path: string): Lock {
  try {
    const lock = checkLock(new CheckedValue(JSON.parse(text), ''));
    if (formatLock(lock) !== text) refuseTwins(text, path);
    return lock;
  } catch (error) {
    if (error instanceof SyntaxError) refuseTwins(text, path);
    if (!(error instanceof InvalidValue)) throw error;
    const line = locateJson(text).lines.get(error.path);
    throw invalid(path, line, error.path === '' ? error.message : `${error.path}: ${error.message}`);
  }
}

/** The one text a lock has: inputs by name, fields in a fixed order, two spaces of indent, a newline at the end. */
export function formatLock(lock: Lock): string {
  const names = Object.keys(lock.inputs).sort();
  const inputs = mapByName(names.map((name) => [name, lock.inputs[name]]));
  return `${JSON.stringify({ version: lock.version, inputs }, undefined, 2)}\n`;
}

/** Replaces the lock file in one step. */
export async function writeLock(path: string, lock: Lock): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const file = await open(temporary, 'w', 0o644);
  try {
    await file.writeFile(formatLock(lock));
    await file.sync();
    await rename(temporary, path);
  } finally {
    await file.close();
    await rm(temporary, { force: true });
  }
}

const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

function checkLock(value: CheckedValue): Lock {
  const fields = value.object(['version', 'inputs']);
  if (fields.get('version').count() !== 1)
    fields.get('version').fail('it was written by another version of cairn; this one knows version 1');
  const inputs = fields.get('inputs').entries();
  return { version: 1, inputs: mapByName(inputs.map(([name, input]) => [name, checkInput(input)])) };
}

function checkInput(value: CheckedValue): LockedInput {
  const fields = value.object(['declaration', 'pins'], ['servedAt']);
  return {
    declaration: checkDeclaration(fields.get('declaration')),
    ...(fields.has('servedAt') && {
      servedAt: fields.get('servedAt').text(timePattern, 'a time such as 2026-11-30T14:04:57Z'),
    }),
    pins: fields.get('pins').items().map(checkPin),
  };
}

function checkPin(value: CheckedValue): PinnedFile {
  const fields = value.object(['name', 'version', 'urls', 'sha256', 'sizeBytes'], ['source']);
  const urls = fields.get('urls').texts(urlPattern, 'a URL (https://…, mirror://NAME/path)');
  if (urls.length === 0) fields.get('urls').fail('it must have at least one URL');
  return {
    name: fields.get('name').text(/^[A-Za-z0-9][\w+.-]*$/, 'a name'),
    version: fields.get('version').text(/^\S+$/, 'a version'),
    urls,
    sha256: fields.get('sha256').text(/^[0-9a-f]{64}$/, '64 lower-case hex digits'),
    sizeBytes: fields.get('sizeBytes').count(),
    ...(fields.has('source') && { source: checkSource(fields.get('source')) }),
  };
}

function checkSource(value: CheckedValue): SourcePackage {
  const fields = value.object(['name', 'version']);
  return {
    name: fields.get('name').text(packagePattern, packageWords),
    version: fields.get('version').text(/^\S+$/, 'a version'),
  };
}

/**
 * Pins as a lock file can hold them.
 * @throws UserError `LOCK_INVALID` when an archive's index, or whoever said what to pin, gave something that none can.
 */
export function lockablePins(input: string, pins: readonly PinnedFile[]): readonly PinnedFile[] {
  try {
    return new CheckedValue(pins, 'pins').items().map(checkPin);
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error;
    throw new UserError(
      'LOCK_INVALID',
      `what was found for input "${input}" cannot be locked: ${error.path}: ${error.message}`,
      {
        hint: 'Nothing was locked. Try another mirror, or declare the input otherwise.',
        fault: 'environment',
      },
    );
  }
}

// JSON.parse takes the last of two members with one name without a word: that would hide a pin from its reviewer.
function refuseTwins(text: string, path: string): void {
  const { problem } = locateJson(text);
  if (problem !== undefined) throw invalid(path, problem.line, problem.message);
}

function invalid(path: string, line: number | undefined, message: string): UserError {
  return new UserError('LOCK_INVALID', `the lock file is not valid: ${message}`, {
    hint: 'Take the file from version control again, or mend that line.',
    where: line === undefined ? path : `${path}:${line}`,
  });
}
