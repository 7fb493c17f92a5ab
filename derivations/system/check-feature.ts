// Whether a feature has the form of one, before hours go into what it is part of: for configs that no type checker saw.
// Whether its accounts and paths go together with those of others is merge-features.ts's and accounts.ts's to say. Pure.

import { didYouMean } from '../../engine/model/closest-names.ts';
import { checkFields, wrong, type Fields } from '../lib/check-fields.ts';
import { cards } from '../packages/index.ts';
import type { Attributes, Feature, Group, Listener, Services, User } from './feature.ts';
import { prebuiltInputs } from './inputs.ts';

export const featureFields: Fields<Feature> = {
  name: 'needed',
  packages: 'optional',
  prebuilt: 'optional',
  users: 'optional',
  groups: 'optional',
  services: 'optional',
  listens: 'optional',
  files: 'optional',
  folders: 'optional',
  attributes: 'optional',
  pythonModules: 'optional',
  leftOut: 'optional',
  makes: 'optional',
};
const userFields: Fields<User> = {
  name: 'needed',
  id: 'needed',
  group: 'optional',
  home: 'needed',
  shell: 'optional',
  about: 'optional',
  password: 'optional',
};
const groupFields: Fields<Group> = { name: 'needed', id: 'needed', members: 'optional' };
const serviceFields: Fields<Services> = { enabled: 'optional', aliases: 'optional', masked: 'optional' };
const listenerFields: Fields<Listener> = {
  program: 'needed',
  protocol: 'needed',
  at: 'needed',
  reason: 'needed',
  sometimes: 'optional',
};
const attributeFields: Fields<Attributes> = { mode: 'optional', owner: 'optional', group: 'optional' };
const textFields = { text: 'needed', ...attributeFields };
const linkFields = { symlink: 'needed' };

const lists = [
  'packages',
  'prebuilt',
  'users',
  'groups',
  'listens',
  'pythonModules',
  'leftOut',
  'makes',
] as const;
const unitPattern = /^[^/\s]+\.[a-z]+$/;

/** @throws UserError `DERIVATION_INVALID` naming the system, the feature and what of it is wrong. */
export function checkFeature(system: string, feature: Feature): void {
  const { name } = feature;
  const of = `${system}: feature ${name}`;
  checkFields(of, feature, featureFields);
  for (const field of lists) checkList(`${of}: ${field}`, feature[field]);
  for (const given of feature.packages ?? []) checkPackage(of, given);
  for (const given of feature.prebuilt ?? []) checkPrebuilt(of, given);
  for (const user of feature.users ?? []) checkFields(`${of}: a user`, user, userFields);
  for (const group of feature.groups ?? []) checkFields(`${of}: a group`, group, groupFields);
  for (const { name, id } of [...(feature.users ?? []), ...(feature.groups ?? [])])
    checkId(`${of}: ${name}`, id);
  for (const listener of feature.listens ?? []) checkFields(`${of}: a listener`, listener, listenerFields);
  for (const [path, file] of Object.entries(feature.files ?? {})) checkFile(`${of}: files["${path}"]`, file);
  for (const field of ['folders', 'attributes'] as const)
    for (const [path, given] of Object.entries(feature[field] ?? {}))
      checkAttributes(`${of}: ${field}["${path}"]`, given, attributeFields);
  checkServices(of, feature.services ?? {});
}

function checkPackage(of: string, given: unknown): void {
  if (typeof given === 'string' && Object.hasOwn(cards, given)) return;
  if (typeof given === 'object' && given !== null && 'runtime' in given) return;
  const names = Object.keys(cards);
  throw wrong(
    `${of}: ${typeof given === 'string' ? `cairn has no package "${given}"` : 'packages has something else than a package'}`,
    `${didYouMean(String(given), names)}There is ${names.join(', ')}. One of your own is createPackageSet({ mine }, { pins, target }).mine.`,
  );
}

function checkPrebuilt(of: string, given: unknown): void {
  if (typeof given === 'string' && Object.hasOwn(prebuiltInputs, given)) return;
  const names = Object.keys(prebuiltInputs);
  throw wrong(
    `${of}: there are no prebuilt packages called ${JSON.stringify(given)}`,
    `${didYouMean(String(given), names)}There is ${names.join(', ')}.`,
  );
}

function checkId(of: string, id: unknown): void {
  if (!Number.isSafeInteger(id) || (id as number) < 0)
    throw wrong(
      `${of}: its id must be a whole number, not ${String(id)}`,
      'People have ids from 1000 on, for example.',
    );
}

function checkFile(of: string, file: unknown): void {
  if (typeof file === 'string') return;
  const isLink = typeof file === 'object' && file !== null && 'symlink' in file;
  if (isLink) checkFields(of, file, linkFields);
  else checkAttributes(of, file, textFields);
}

function checkAttributes(of: string, given: unknown, fields: Readonly<Record<string, string>>): void {
  checkFields(of, given, fields);
  const { mode } = given as Attributes;
  if (mode !== undefined && !(typeof mode === 'string' && /^0?[0-7]{3,4}$/.test(mode)))
    throw wrong(`${of}: its mode must be octal digits in quotes`, "Write mode: '0755', for example.");
}

function checkServices(of: string, services: Services): void {
  checkFields(`${of}: services`, services, serviceFields);
  checkList(`${of}: services.masked`, services.masked);
  const { enabled = {}, aliases = {}, masked = [] } = services;
  for (const [field, pairs] of Object.entries({ enabled, aliases })) {
    if (typeof pairs !== 'object' || Array.isArray(pairs))
      throw wrong(`${of}: services.${field} is not an object`, usualServices);
    for (const units of Object.entries(pairs))
      units.forEach((unit) => checkUnit(`${of}: services.${field}`, unit));
  }
  masked.forEach((unit) => checkUnit(`${of}: services.masked`, unit));
}

const usualServices = "Write services: { enabled: { 'greet.service': 'multi-user.target' } }, for example.";

function checkUnit(of: string, unit: unknown): void {
  if (typeof unit !== 'string' || !unitPattern.test(unit))
    throw wrong(`${of}: ${JSON.stringify(unit)} is not the name of a unit`, usualServices);
}

function checkList(of: string, value: unknown): void {
  if (value !== undefined && !Array.isArray(value)) throw wrong(`${of} must be a list`, 'Put it in […].');
}
