// Whether a card has the form of one: for configs that no type checker saw, and for overrides. Pure.

import { UserError } from '../../engine/model/index.ts';
import type { Autotools, Script } from './build.ts';
import type { Gives, Needs, Package } from './package.ts';

type Fields<T> = Readonly<Record<keyof T, 'needed' | 'optional'>>;

const cardFields: Fields<Package> = {
  name: 'needed',
  description: 'needed',
  licence: 'needed',
  homepage: 'needed',
  source: 'needed',
  patches: 'optional',
  needs: 'optional',
  build: 'needed',
  gives: 'needed',
  compileCache: 'optional',
};
const needsFields: Fields<Needs> = {
  libraries: 'optional',
  build: 'optional',
  runtime: 'optional',
  tools: 'optional',
};
const givesFields: Fields<Gives> = {
  outputs: 'optional',
  files: 'needed',
  libraries: 'optional',
  lacks: 'optional',
  runs: 'needed',
  tries: 'optional',
  setuid: 'optional',
};
const autotoolsFields: Fields<Autotools> = {
  kind: 'needed',
  configure: 'needed',
  make: 'needed',
  install: 'needed',
  before: 'needed',
  after: 'needed',
  inTree: 'needed',
};
const scriptFields: Fields<Script> = { kind: 'needed', lines: 'needed', inTree: 'needed' };

/**
 * The card as it was given, once its fields are those of a card.
 * @throws UserError `DERIVATION_INVALID` naming the package and the field that is missing or unknown.
 */
export function checkCard(name: string, card: Package): Package {
  checkFields(`package ${name}`, card, cardFields);
  checkFields(`needs of package ${name}`, card.needs ?? {}, needsFields);
  checkFields(`gives of package ${name}`, card.gives, givesFields);
  const buildFields = card.build.kind === 'script' ? scriptFields : autotoolsFields;
  checkFields(`build of package ${name}`, card.build, buildFields);
  return card;
}

function checkFields(what: string, value: object, fields: Readonly<Record<string, string>>): void {
  const unknown = Object.keys(value).find((field) => !Object.hasOwn(fields, field));
  const missing = Object.keys(fields).find(
    (field) => fields[field] === 'needed' && !Object.hasOwn(value, field),
  );
  if (unknown === undefined && missing === undefined) return;
  const problem = unknown === undefined ? `no "${missing}"` : `an unknown field "${unknown}"`;
  throw new UserError('DERIVATION_INVALID', `${what} has ${problem}`, {
    hint: `Its fields are ${Object.keys(fields).join(', ')}.`,
  });
}
