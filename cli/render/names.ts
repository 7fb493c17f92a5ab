// How steps and reasons are called when people read of them. Pure.

import type { Reason, StepRef } from '../../engine/index.ts';

/** `sed@aarch64-linux` for what a command makes; what is not made for a target goes by its kind: `fetch gcc.deb`. */
export function stepName({ name, kind, target }: Pick<StepRef, 'name' | 'kind' | 'target'>): string {
  return target === undefined ? `${kind} ${name}` : `${name}@${target}`;
}

/** Why a step is to be done, in a few words. */
export function describeReason(reason: Reason): string {
  switch (reason.kind) {
    case 'realised':
      return 'up to date';
    case 'never-built':
      return 'never built before';
    case 'changed':
      return reason.fields.length === 0 ? 'changed' : `changed: ${abbreviate(reason.fields)}`;
    case 'input-changed':
      return `inputs changed: ${abbreviate(reason.inputs)}`;
    case 'output-missing':
      return 'its output is gone from the store';
    case 'requested':
      return 'asked for';
  }
}

/** The first few of a list, and how many more there are. */
export function abbreviate(names: readonly string[], most = 3): string {
  const shown = names.slice(0, most).join(', ');
  return names.length <= most ? shown : `${shown} and ${names.length - most} more`;
}
