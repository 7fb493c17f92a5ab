// Ports of this machine that something is to listen on.

import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { isErrno, UserError } from '../../store/base/errors.ts';

/** The port, or any that is free for 0. @throws UserError `USAGE` when something else has it, or this person may not. */
export async function freePort(wanted: number): Promise<number> {
  const server = createServer();
  try {
    await once(server.listen(wanted, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
  } catch (error) {
    if (!isErrno(error, 'EADDRINUSE', 'EACCES')) throw error;
    throw new UserError('USAGE', `port ${wanted} cannot be used: ${error.message}`, {
      hint: 'Name another one, above 1023, or 0 for any that is free.',
      cause: error,
    });
  } finally {
    server.close();
  }
}
