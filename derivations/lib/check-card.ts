// Whether a card has the form of one: for configs that no type checker saw, and for overrides. Pure.

import type { Autotools, Script } from './build.ts';
import { checkFields, type Fields } from './check-fields.ts';
import type { Gives, Needs, Package } from './package.ts';

const cardFields: Fields<Package> = {
  name: 'needed',
  description: 'needed',
  licence: 'needed',
  homepage: 'needed',
  source: 'needed',
  patches: 'optional',
  leaves: 'optional',
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
