// Work on the store's files that nobody else may use meanwhile.

import type { UserError } from '../base/errors.ts';
import type { Layout } from '../layout.ts';
import { Session, livingSessions } from '../processes/session.ts';

/**
 * Works while no other process writes to the store: those that live are refused, those that come are refused by what is
 * wrong with the store. @throws `refusal` when others live
 * @param work is given a function for paths on the store's file system where nothing is yet
 */
export async function whileAlone<T>(
  layout: Layout,
  refusal: UserError,
  work: (freshPath: (label: string) => string) => Promise<T>,
): Promise<T> {
  const session = new Session(layout);
  try {
    session.enter();
    const others = await livingSessions(layout);
    others.delete(session.id);
    if (others.size > 0) throw refusal;
    return await work((label) => session.freshPath(label));
  } finally {
    session.close();
  }
}
