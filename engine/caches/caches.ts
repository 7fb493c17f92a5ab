// All caches behind one, near to far. One that fails, is slow or lies is not asked any more, which is said once; a build goes on
// without it, and one that begins a minute later asks it again. Knows no plan and no store.

import type { Digest } from '../../store/base/digest.ts';
import { UserError } from '../../store/base/errors.ts';
import { promisedBy, type Trust, type Voiced } from '../../store/caches/index.ts';
import type { Cache, Claim, Likenesses, Take } from '../../store/index.ts';
import type { ContentSource, Contradiction, FoundClaim, FoundMemo } from '../content-source.ts';
import { TrustedRecords } from './trusted-records.ts';

export interface AskedCache {
  readonly cache: Cache;
  /** The person takes what any key has signed, of this cache alone. */
  readonly takesAnyKey: boolean;
}

/** So long nobody is waited for again who could not be asked. */
const graceMs = 60_000;

interface Asked extends AskedCache {
  /** When it could not be asked any more, by a clock that never goes back; undefined for one that can. */
  downAtMs: number | undefined;
  readonly has: Set<Digest>;
}

export class Caches implements ContentSource {
  readonly name: string;
  readonly #caches: readonly Asked[];
  readonly #records: TrustedRecords;
  readonly #disputed = new Set<Digest>();
  readonly #tops = new Set<Digest>();
  #notices: string[] = [];

  constructor(caches: readonly AskedCache[], trust: Trust) {
    this.#caches = caches.map((one) => ({ ...one, downAtMs: undefined, has: new Set() }));
    this.name = caches.map(({ cache }) => cache.name).join(', ');
    this.#records = new TrustedRecords(trust, (subject, versions) => this.#noticeDispute(subject, versions));
  }

  async memos(
    derivations: ReadonlySet<Digest>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<Digest, FoundMemo>> {
    return this.#find(
      derivations,
      async (asked, missing) => {
        await this.#hear(asked, missing, signal);
        const actions = [...missing].flatMap((id) => this.#records.actionOf(id) ?? []);
        await this.#hear(asked, new Set(actions), signal);
      },
      (id) => this.#records.memo(id),
    );
  }

  async claims(actions: ReadonlySet<Digest>, signal: AbortSignal): Promise<ReadonlyMap<Digest, FoundClaim>> {
    return this.#find(
      actions,
      (asked, missing) => this.#hear(asked, missing, signal),
      (action) => this.#records.claim(action),
    );
  }

  async has(
    digests: ReadonlySet<Digest>,
    tops: ReadonlySet<Digest>,
    signal: AbortSignal,
  ): Promise<ReadonlySet<Digest>> {
    for (const top of tops) this.#tops.add(top);
    const found = new Set<Digest>();
    for (const asked of this.#caches) {
      const missing = new Set([...digests].filter((digest) => !found.has(digest)));
      for (const digest of await this.#hasIn(asked, missing, tops, signal)) found.add(digest);
    }
    return found;
  }

  async read(
    digests: ReadonlySet<Digest>,
    take: Take,
    signal: AbortSignal,
    likenesses?: Likenesses,
  ): Promise<void> {
    const left = new Set(digests);
    for (const asked of this.#caches) {
      if (left.size === 0) return;
      // What a nearer one said it had, and could not give, may be had here.
      const unknown = new Set([...left].filter((digest) => !asked.has.has(digest)));
      await this.#hasIn(asked, unknown, this.#tops, signal);
      const wanted = new Set([...left].filter((digest) => asked.has.has(digest)));
      if (wanted.size === 0) continue;
      await this.#attempt(asked, signal, () =>
        asked.cache.read(
          wanted,
          async (digest, bytes) => {
            await take(digest, bytes);
            left.delete(digest);
          },
          signal,
          likenesses,
        ),
      );
    }
  }

  begin(): void {
    for (const asked of this.#caches) {
      asked.cache.forget?.();
      if (asked.downAtMs !== undefined && performance.now() - asked.downAtMs >= graceMs)
        asked.downAtMs = undefined;
    }
  }

  async below(top: Digest, signal: AbortSignal): Promise<ReadonlySet<Digest> | undefined> {
    for (const asked of this.#caches) {
      const below = await this.#attempt(asked, signal, () => asked.cache.below(top, signal));
      if (below !== undefined) return below;
    }
    return undefined;
  }

  contradictions(made: (action: Digest) => Claim['outputs'] | undefined): readonly Contradiction[] {
    return this.#records.contradictions(made);
  }

  notices(): readonly string[] {
    const notices = this.#notices;
    this.#notices = [];
    return notices;
  }

  // Near to far, each about what is not found by then.
  async #find<Value>(
    subjects: ReadonlySet<Digest>,
    hear: (asked: Asked, missing: ReadonlySet<Digest>) => Promise<void>,
    find: (subject: Digest) => Value | undefined,
  ): Promise<ReadonlyMap<Digest, Value>> {
    const found = new Map<Digest, Value>();
    for (const asked of this.#caches) {
      const missing = new Set([...subjects].filter((subject) => !found.has(subject)));
      if (missing.size === 0) break;
      await hear(asked, missing);
      for (const subject of missing) {
        const value = find(subject);
        if (value !== undefined) found.set(subject, value);
      }
    }
    return found;
  }

  async #hear(asked: Asked, subjects: ReadonlySet<Digest>, signal: AbortSignal): Promise<void> {
    if (subjects.size === 0) return;
    const { cache, takesAnyKey } = asked;
    const given = await this.#attempt(asked, signal, () => cache.records(subjects, signal));
    this.#records.add((given ?? []).map((bytes) => ({ bytes, takesAnyKey })));
  }

  async #hasIn(
    asked: Asked,
    digests: ReadonlySet<Digest>,
    tops: ReadonlySet<Digest>,
    signal: AbortSignal,
  ): Promise<ReadonlySet<Digest>> {
    if (digests.size === 0) return new Set();
    const has = await this.#attempt(asked, signal, () => asked.cache.has(digests, tops, signal));
    const found = [...(has ?? [])].filter((digest) => digests.has(digest));
    for (const digest of found) asked.has.add(digest);
    return new Set(found);
  }

  async #attempt<T>(asked: Asked, signal: AbortSignal, ask: () => Promise<T>): Promise<T | undefined> {
    if (isDown(asked)) return undefined;
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      // The disk is full: that is ours.
      if (error instanceof UserError) throw error;
      if (!isDown(asked))
        this.#notices.push(`${asked.cache.name} is not asked any more: ${messageOf(error)}`);
      asked.downAtMs ??= performance.now();
      return undefined;
    }
  }

  #noticeDispute(subject: Digest, versions: readonly Voiced[]): void {
    if (this.#disputed.has(subject)) return;
    this.#disputed.add(subject);
    const said = versions.map(({ statement, signers }) => {
      return `${signers.join(', ')} made ${describe(promisedBy(statement))}`;
    });
    const what = versions[0]!.statement.kind === 'claim' ? 'action' : 'derivation';
    this.#notices.push(`not reproducible: of ${what} ${subject} ${said.join('; ')}`);
  }
}

// Asked again: while one question was waited for, another may have ended it.
function isDown(asked: Asked): boolean {
  return asked.downAtMs !== undefined;
}

function describe(outputs: Claim['outputs']): string {
  return Object.entries(outputs)
    .map(([name, node]) => `${name} ${node.kind === 'symlink' ? node.target : node.digest}`)
    .join(', ');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
