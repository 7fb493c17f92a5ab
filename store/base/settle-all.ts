// Work that is under way at once, and waited for as a whole.

/** Waits for all, so that none still goes on when the caller is told of the first failure. */
export async function settleAll<T>(jobs: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(jobs);
  return settled.map((job) => {
    if (job.status === 'rejected') throw job.reason;
    return job.value;
  });
}
