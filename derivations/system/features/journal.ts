// Whether the journal outlives the machine's being switched off. Without this feature it is in memory: a card is written to
// less, and a machine that is pulled out of its socket loses no more than its journal.

import type { Feature } from '../feature.ts';

// A tenth of the smallest card would be the default.
const bounded = '[Journal]\nStorage=persistent\nSystemMaxUse=64M\n';

/** The journal is kept on the disk, in 64 MB at most. */
export const persistentJournal: Feature = {
  name: 'persistent journal',
  files: { 'usr/lib/systemd/journald.conf.d/50-persistent.conf': bounded },
  folders: { 'var/log/journal': { mode: '2755', group: 'systemd-journal' } },
};
