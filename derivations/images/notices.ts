// The notices of an image: the licences of what it is made of and whose work that is, as one compressed file beside it. They
// have to go where the image goes, and would take room in it that nobody reads.

import type { InputLike, Run } from '../../engine/model/index.ts';
import type { Component } from '../system/component.ts';
import { runProgram, type ImageContext } from './program.ts';
import { noticesProgram } from './programs/index.ts';

export interface Noticed {
  readonly components: readonly Omit<Component, 'tree'>[];
  /** A tree with `texts/NAME`, for components that bring none. */
  readonly licences?: InputLike;
}

/** The file's name in the image's folder. */
export function noticesFile(image: string): string {
  return `${image}.notices.txt.gz`;
}

/**
 * That file. What several have is in it once; a text that refers to one of the licences which Debian's packages have in common is
 * followed by that. What came from elsewhere without a text is named at its beginning.
 */
export function notices({ components, licences }: Noticed, { image, target, tools }: ImageContext): Run {
  const bringing = components.filter((one) => one.notices !== undefined);
  return runProgram({
    name: `${image}-notices`,
    target,
    tools,
    program: noticesProgram,
    given: {
      'notices.json': {
        image,
        components: components.map((one) => ({
          name: one.name,
          version: one.version,
          licence: one.licence ?? '',
          isFromElsewhere: one.sources.length > 0,
          at: one.notices === undefined ? null : bringing.indexOf(one),
        })),
      },
    },
    inputs: {
      ...Object.fromEntries(bringing.map((one, at) => [`/texts/${at}`, one.notices!])),
      ...(licences && { '/licences': licences }),
    },
  });
}
