// A derivation as it is made: frozen, and shown to whoever evaluates, who may want to know from where it was asked for. Knows
// nothing of places; what is noted of a derivation is no part of it.

/** Gets each derivation, and the function that made it. */
export type OnMade = (derivation: object, maker: Maker) => void;
export type Maker = (...spec: never[]) => object;

/** The name under which a realm has it: configs of cairn's own checkout load this file anew. */
export const onMade = Symbol.for('cairn.made');

export function made<Made extends object>(derivation: Made, maker: Maker): Readonly<Made> {
  const frozen = Object.freeze(derivation);
  (globalThis as { readonly [onMade]?: OnMade })[onMade]?.(frozen, maker);
  return frozen;
}
