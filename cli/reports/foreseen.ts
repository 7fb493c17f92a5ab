// Failures that a plan can tell before anything is done. Pure.

import type { PlannedStep } from '../../engine/index.ts';
import { stepName } from '../render/names.ts';
import { plainLine } from '../render/plain-text.ts';
import type { Style } from '../render/style.ts';

/** Every failure that the build is going to end with, and what to do next; nothing when none can be told. */
export function foreseenLines(steps: Iterable<PlannedStep>, style: Style): string[] {
  const lines = [...steps].flatMap(({ step, failure }) => {
    if (failure === undefined) return [];
    const { message, code, hint } = failure;
    return [
      `${style.bad('will fail')} ${style.bold(stepName(step))}: ${plainLine(message)} [${code}]`,
      ...(hint === undefined ? [] : [`  ${style.accent('next:')} ${plainLine(hint)}`]),
    ];
  });
  return lines.length === 0 ? [] : ['', ...lines];
}
