// What each input of a flake comes to: its pins in the lock, or the folder that stands for it. Knows nothing of realms.

import { dirname, resolve } from 'node:path';
import { UserError } from '../../store/base/errors.ts';
import { ownMember } from '../../store/base/map-by-name.ts';
import { declarationOf, isLocal } from '../lock/declaration.ts';
import type { Lock } from '../lock/lock-file.ts';
import { pinsOf } from '../lock/pins-for.ts';
import { didYouMean } from '../model/closest-names.ts';
import type { Flake, FolderPin, InputDeclaration, Pins } from '../model/flake.ts';
import type { Overrides } from './evaluate-options.ts';

export interface InputSources {
  readonly configPath: string;
  readonly lock: Lock;
  /** All inputs that it does not have as they are declared: whoever misses one is told of all. */
  readonly unlocked: readonly string[];
  readonly overrides: Overrides;
}

/**
 * The pins of one input.
 * @throws UserError `LOCK_MISSING_PIN`, `CONFIG_INVALID`; `INPUT_IS_FOLDER` for packages that a folder is to stand for.
 */
export function pinsOfInput(
  [name, declared]: readonly [string, InputDeclaration],
  { configPath, lock, overrides, unlocked }: InputSources,
): Pins {
  const override = ownMember(overrides, name);
  if (override !== undefined) return [overridden(name, declared, override)];
  if (!isLocal(declared)) return pinsOf(name, declared, { lock, unlocked });
  const { path, exclude = [] } = declarationOf(name, declared) as typeof declared;
  return [folderPin(name, resolve(dirname(configPath), path), exclude)];
}

/** @throws UserError `INPUT_UNKNOWN` for an override of what the flake does not have. */
export function checkOverrides({ inputs }: Pick<Flake, 'inputs'>, overrides: Overrides): void {
  const unknown = Object.keys(overrides).find((name) => !Object.hasOwn(inputs, name));
  if (unknown === undefined) return;
  const names = Object.keys(inputs).sort();
  throw new UserError('INPUT_UNKNOWN', `the flake has no input "${unknown}" to override`, {
    hint: `${didYouMean(unknown, names)}There is: ${names.join(', ') || 'none'}.`,
  });
}

function overridden(name: string, declared: InputDeclaration, folder: string): FolderPin {
  if (declared.kind !== 'debian-packages') return folderPin(name, folder, []);
  throw new UserError(
    'INPUT_IS_FOLDER',
    `input "${name}" is a set of packages, and the folder ${folder} cannot stand for it`,
    { hint: 'A folder can stand for an input that is one archive: a source, or a file at a URL.' },
  );
}

// A config that no type checker saw may ask for what only a download has.
function folderPin(name: string, folder: string, exclude: readonly string[]): FolderPin {
  const pin = { name, version: 'local', folder, exclude } as const;
  for (const field of ['urls', 'sha256', 'sizeBytes'])
    Object.defineProperty(pin, field, {
      get(): never {
        throw new UserError(
          'INPUT_IS_FOLDER',
          `input "${name}" is the folder ${folder}, which has no ${field}`,
          { hint: 'Ask for unpackPin(pin), or look whether pin.folder is undefined first.' },
        );
      },
    });
  return Object.freeze(pin);
}
