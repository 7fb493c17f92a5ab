// The names under which a shelf's files are asked for over a network. Whatever is not one of them is nowhere: no path of a file
// system is ever made of what somebody sent. Pure.

export type ServedName =
  | { readonly kind: 'marker' }
  | {
      readonly kind: 'index' | 'records' | 'content' | 'packs' | 'blobs' | 'latest';
      readonly id: string;
    };

const hash = '[0-9a-f]{64}';
const pattern = new RegExp(
  `^(?:index/[0-9a-f]|records/[0-9a-f]{16}|content/${hash}|packs/${hash}|blobs/${hash}|latest/${hash})$`,
);

/** The name that `text` is, or undefined. */
export function parseServedName(text: string): ServedName | undefined {
  if (text === 'cairn-cache') return { kind: 'marker' };
  if (!pattern.test(text)) return undefined;
  const [kind, id] = text.split('/') as [Exclude<ServedName['kind'], 'marker'>, string];
  return { kind, id };
}

export function formatServedName(name: ServedName): string {
  return name.kind === 'marker' ? 'cairn-cache' : `${name.kind}/${name.id}`;
}
