// The seam between what happens and who tells of it.

import type { Event } from '../../engine/index.ts';
import type { View } from './view-model.ts';

/** Tells of events. While it is open nobody else writes to its stream. */
export interface Renderer {
  emit(event: Event): void;
  /** Shows that the person's wish to stop was heard. */
  stopping(): void;
  /** Ends the telling, leaves the terminal as it was, and gives the last state, when all that was told has left. */
  close(): View | Promise<View>;
}
