// Finding an input's pins by name, with an error that says how to get them. Pure.

import { UserError, unpackPin, type Pin, type Pins } from '../../engine/model/index.ts';
import type { Source } from '../system/component.ts';

/** The pins of all inputs, by input name. */
export type PinsByName = Readonly<Record<string, Pins | undefined>>;

/** @throws UserError `LOCK_MISSING_PIN` when there is no such input. */
export function pinsOf(pins: PinsByName, name: string): Pins {
  // What a flake does not declare may not be asked for.
  const found = Object.hasOwn(pins, name) ? pins[name] : undefined;
  if (found !== undefined) return found;
  throw new UserError('LOCK_MISSING_PIN', `there is no input "${name}"`, {
    hint: `Spread \`inputs\` from "cairn-build/derivations" into your flake's inputs, then run \`cairn lock ${name}\`.`,
  });
}

/** The pin of an input that is one file. */
export function pinOf(pins: PinsByName, name: string): Pin {
  const [pin, ...others] = pinsOf(pins, name);
  if (pin !== undefined && others.length === 0) return pin;
  throw new UserError(
    'LOCK_MISSING_PIN',
    `input "${name}" has ${others.length + (pin ? 1 : 0)} pins, not one`,
    {
      hint: `Run \`cairn lock ${name}\`.`,
    },
  );
}

/** What a pin says of where it comes from, with every address of a download. */
export function sourcesOf(pin: Pin): readonly Source[] {
  return pin.folder === undefined
    ? pin.urls.map((url) => ({ url, sha256: pin.sha256, ...(pin.source && { source: pin.source }) }))
    : [{ input: pin.name, tree: unpackPin(pin) }];
}

/** What each of some pins says of where it comes from, with the first address of each download. */
export function sourceOfEach(pins: Pins): readonly Source[] {
  return pins.flatMap((pin) => sourcesOf(pin).slice(0, 1));
}
