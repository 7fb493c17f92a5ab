// Which error leads to which exit status. What a process does with it: usage, signals and store tests.

import { expect, test } from 'vitest';
import { exitCodeOf } from '../../cli/exit-codes.ts';
import { asPersonsError } from '../../cli/reports/persons-error.ts';
import { digestOf } from '../../store/base/digest.ts';
import { UserError } from '../../store/base/errors.ts';
import { MissingBlob } from '../../store/index.ts';

const ofSystem = (code: string): Error => Object.assign(new Error(code), { code, syscall: 'write' });

test.each<[number, string, Error]>([
  [1, 'a failed download', new UserError('FETCH_FAILED', '')],
  [1, 'a full disk', ofSystem('ENOSPC')],
  [1, 'too many open files', ofSystem('EMFILE')],
  [2, 'a path that is too long', ofSystem('ENAMETOOLONG')],
  [2, 'symbolic links in a circle', ofSystem('ELOOP')],
  [2, 'a mistake in the config', new UserError('CONFIG_INVALID', '')],
  [2, 'a lock file that is none', new UserError('LOCK_INVALID', '')],
  [2, 'a wrong option', new UserError('USAGE', '')],
  [20, 'damage in the store', new UserError('STORE_CORRUPT', '')],
  [20, 'content that nothing can make again', new MissingBlob(digestOf(Buffer.from('gone')))],
  [70, 'what nobody expected', new TypeError('x is undefined')],
  [70, 'what the system says and nobody expected', ofSystem('EBADF')],
  [141, 'a reader that went away', ofSystem('EPIPE')],
])('%i for %s', (status, _, error) => {
  expect(exitCodeOf(asPersonsError(error))).toBe(status);
});
