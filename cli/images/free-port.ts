// Whether a port of this machine can be listened on.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { isErrno, UserError } from '../../store/base/errors.ts';

/** @throws UserError `USAGE` when something else has it, or this person may not have it. */
export async function requireFreePort(port: number): Promise<void> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch (error) {
    if (!isErrno(error, 'EADDRINUSE', 'EACCES')) throw error;
    throw new UserError('USAGE', `port ${port} cannot be used: ${error.message}`, {
      hint: 'Name another one, above 1023.',
      cause: error,
    });
  } finally {
    server.close();
  }
}
