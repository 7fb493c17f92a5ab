// What happens in folders of this machine, as the kernel tells it: the one door to chokidar. It watches folders alone, which
// tell of the files in them: one watch for a folder instead of one for each file, of which a kernel's sources have 86,000.
// Knows nothing of what is wanted of a folder.

import { readFileSync, statSync, type Stats } from 'node:fs';
import { watch } from 'chokidar';
import { isErrno, UserError } from '../../store/base/errors.ts';

export interface DirectoryEvents {
  /** An entry of a watched folder has changed, come or gone; without a name nobody knows which. */
  onEntry(folder: string, name: string | undefined): void;
  /** A folder is watched from now on, or will be in a moment: what is in it by then may not be told of. */
  onFolder(folder: string, identity: string): void;
  onFolderGone(folder: string): void;
  /** All folders that were there at first are watched. */
  onReady(): void;
  onError(error: Error): void;
}

/** What whoever watches a place for somebody tells. */
export interface WatchEvents {
  onChange(path: string): void;
  /** The same for what is no reason to do anything. */
  onAside(path: string): void;
  /** Something may have changed unseen. */
  onUnsure(): void;
  /** The kernel told of something, whether it matters or not. */
  onEvent(): void;
  onError(error: Error): void;
}

export interface DirectoryWatch {
  /** Watches one more folder. */
  add(folder: string): void;
  close(): Promise<void>;
}

/** Watches a folder, and those below it that `wants` says. */
export function watchDirectories(
  top: string,
  wants: (folder: string) => boolean,
  events: DirectoryEvents,
): DirectoryWatch {
  const ignored = (path: string, stats?: Stats): boolean =>
    path !== top && stats !== undefined && !(stats.isDirectory() && wants(path));
  const watcher = watch(top, {
    ignored,
    followSymlinks: false,
    ignorePermissionErrors: true,
    // Who waits for an editor to finish is not the watcher, and names that it would pass over may matter.
    atomic: false,
  });
  watcher
    .on('raw', (_, name: string | null, told) =>
      events.onEntry((told as { readonly watchedPath: string }).watchedPath, name ?? undefined),
    )
    .on('addDir', (path, stats) => events.onFolder(path, stats === undefined ? '' : identityOf(stats)))
    .on('unlinkDir', (path) => events.onFolderGone(path))
    .on('ready', () => events.onReady())
    .on('error', (error) => events.onError(personsError(error)));
  return { add: (folder) => void watcher.add(folder), close: () => watcher.close() };
}

/** Differs for a folder that was made anew, as far as the file system tells. */
export function identityOf({ dev, ino, birthtimeMs }: Stats): string {
  return `${dev} ${ino} ${birthtimeMs}`;
}

/** The folder at a path as {@link identityOf} tells it; undefined when there is none. */
export function identityAt(path: string): string | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats?.isDirectory() === true ? identityOf(stats) : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOTDIR', 'EACCES', 'ELOOP')) return undefined;
    throw error;
  }
}

/** How many events the kernel keeps until they are read; what comes beyond that is lost, and nobody says so. */
export function queuedEvents(): number {
  return Number(limit('max_queued_events') ?? 16_384);
}

function personsError(error: unknown): Error {
  if (isErrno(error, 'ENOSPC')) {
    return new UserError(
      'ENVIRONMENT_UNSUPPORTED',
      `there are more folders to watch than this machine allows (${limit('max_user_watches') ?? 'an unknown number of'} for all programs of a user)`,
      {
        hint: 'Allow more: sudo sysctl fs.inotify.max_user_watches=1048576. In /etc/sysctl.d/ it stays so after a restart.',
        fault: 'environment',
        cause: error,
      },
    );
  }
  if (isErrno(error, 'EMFILE') && error.syscall === 'watch') {
    return new UserError(
      'ENVIRONMENT_UNSUPPORTED',
      `more programs watch files than this machine allows (${limit('max_user_instances') ?? 'an unknown number'} for each user)`,
      {
        hint: 'Allow more: sudo sysctl fs.inotify.max_user_instances=1024. In /etc/sysctl.d/ it stays so after a restart.',
        fault: 'environment',
        cause: error,
      },
    );
  }
  return error as Error;
}

function limit(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/fs/inotify/${name}`, 'utf8').trim();
  } catch {
    // No kernel is without them; a sandbox may be.
    return undefined;
  }
}
