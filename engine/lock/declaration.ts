// Declarations of inputs as they are compared and written: one checked form with its fields in a fixed order. Pure.

import { UserError } from '../../store/base/errors.ts';
import { ownMember } from '../../store/base/map-by-name.ts';
import type {
  DebianPackages,
  DebianSource,
  InputDeclaration,
  LocalInput,
  LockedDeclaration,
  Url,
} from '../model/flake.ts';
import { CheckedValue, InvalidValue } from './checked-value.ts';

/** One of each kind, as it may stand in a message. */
export const declarationExamples: Readonly<Record<InputDeclaration['kind'], string>> = {
  url: "{ kind: 'url', urls: ['https://…'] }",
  'debian-source': "{ kind: 'debian-source', suite: 'trixie', package: 'sed' }",
  'debian-packages':
    "{ kind: 'debian-packages', suite: 'trixie', architecture: 'amd64', packages: ['busybox'] }",
  local: "{ kind: 'local', path: '../sed' }",
};

export const packagePattern = /^[a-z0-9][a-z0-9+.-]+$/;
export const packageWords = "a Debian package's name";
const suitePattern = /^[a-z][a-z0-9-]*$/;
const componentPattern = /^[a-z][a-z0-9-]*$/;
const seriesPattern = /^[0-9A-Za-z+~]+(\.[0-9A-Za-z+~]+)*$/;
const seriesWords = 'how versions begin, such as 6.12';
export const urlPattern = /^(https?|file):\/\/[^\s]+$|^mirror:\/\/[a-z0-9-]+\/[^\s]+$/;

/** A declaration of which there are pins. @throws InvalidValue */
export function checkDeclaration(value: CheckedValue): LockedDeclaration {
  const kinds = ['debian-source', 'debian-packages', 'url'] as const;
  const kind = value.member('kind').oneOf(...kinds);
  switch (kind) {
    case 'debian-source':
      return debianSource(value);
    case 'debian-packages':
      return debianPackages(value);
    case 'url':
      return url(value);
  }
}

/**
 * An input's declaration in its checked form. @throws UserError `CONFIG_INVALID` naming the input and the field.
 */
export function declarationOf(input: string, declaration: unknown): InputDeclaration {
  try {
    const value = new CheckedValue(declaration, `inputs.${input}`);
    return isLocal(declaration) ? localInput(value) : checkDeclaration(value);
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error;
    throw new UserError('CONFIG_INVALID', `${error.path}: ${error.message}`, {
      hint: `Write for example ${exampleOf(declaration)}.`,
    });
  }
}

function exampleOf(declaration: unknown): string {
  const { kind } = (declaration ?? {}) as { readonly kind?: unknown };
  return ownMember<string>(declarationExamples, String(kind)) ?? declarationExamples['debian-source'];
}

/** True for an input that is a folder of this machine, whether the rest of it is right or not. */
export function isLocal(declaration: unknown): declaration is LocalInput {
  return (declaration as Partial<LocalInput> | undefined | null)?.kind === 'local';
}

/** True when both, in their checked form, want the same, so that the pins of one are the pins of the other. */
export function sameDeclaration(a: InputDeclaration, b: InputDeclaration): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function debianSource(value: CheckedValue): DebianSource {
  const optional = ['part', 'version', 'series', 'furtherSuites', 'snapshot'] as const;
  const fields = value.object(['kind', 'suite', 'package'], optional);
  if (fields.has('version') && fields.has('series'))
    fields.get('series').fail('it must not be there beside version, which says more');
  return {
    kind: 'debian-source',
    suite: fields.get('suite').text(suitePattern, "a suite's name"),
    package: fields.get('package').text(packagePattern, packageWords),
    ...(fields.has('part') && { part: fields.get('part').oneOf('debian') }),
    ...(fields.has('version') && { version: fields.get('version').text(/^\S+$/, 'a version') }),
    ...(fields.has('series') && { series: fields.get('series').text(seriesPattern, seriesWords) }),
    ...(fields.has('furtherSuites') && {
      furtherSuites: fields.get('furtherSuites').texts(suitePattern, "a suite's name"),
    }),
    ...(fields.has('snapshot') && { snapshot: fields.get('snapshot').onlyTrue() }),
  };
}

function debianPackages(value: CheckedValue): DebianPackages {
  const fields = value.object(
    ['kind', 'suite', 'architecture', 'packages'],
    ['without', 'despiteConflicts', 'components', 'furtherSuites', 'snapshot'],
  );
  const list = (
    name: 'without' | 'despiteConflicts' | 'components' | 'furtherSuites',
    pattern: RegExp,
    what: string,
  ) => (fields.has(name) ? { [name]: fields.get(name).texts(pattern, what) } : {});
  return {
    kind: 'debian-packages',
    suite: fields.get('suite').text(suitePattern, "a suite's name"),
    architecture: fields.get('architecture').oneOf('amd64', 'arm64'),
    packages: fields.get('packages').texts(packagePattern, packageWords),
    ...list('without', packagePattern, packageWords),
    ...list('despiteConflicts', packagePattern, packageWords),
    ...list('components', componentPattern, "an archive area's name"),
    ...list('furtherSuites', suitePattern, "a suite's name"),
    ...(fields.has('snapshot') && { snapshot: fields.get('snapshot').onlyTrue() }),
  };
}

function localInput(value: CheckedValue): LocalInput {
  const fields = value.object(['kind', 'path'], ['exclude']);
  return {
    kind: 'local',
    path: fields.get('path').text(/^[^\0]+$/, "a folder's path"),
    ...(fields.has('exclude') && { exclude: fields.get('exclude').texts(/^[^\0]*$/, 'an ignore pattern') }),
  };
}

function url(value: CheckedValue): Url {
  const fields = value.object(['kind', 'urls'], ['version']);
  const urls = fields.get('urls').texts(urlPattern, 'a URL (https://…, mirror://NAME/path)');
  if (urls.length === 0) fields.get('urls').fail('it must have at least one URL');
  return {
    kind: 'url',
    urls,
    ...(fields.has('version') && { version: fields.get('version').text(/^\S+$/, 'a version') }),
  };
}
