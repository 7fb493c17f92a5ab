// A source that is opened when it is first asked.

import type { ContentSource, Contradiction } from '../content-source.ts';

export class LateSource implements ContentSource {
  readonly name: string;
  readonly #open: () => Promise<ContentSource>;
  #opened: Promise<ContentSource> | undefined;
  #source: ContentSource | undefined;

  constructor(name: string, open: () => Promise<ContentSource>) {
    this.name = name;
    this.#open = open;
  }

  readonly memos: ContentSource['memos'] = async (...question) => (await this.#get()).memos(...question);
  readonly claims: ContentSource['claims'] = async (...question) => (await this.#get()).claims(...question);
  readonly has: ContentSource['has'] = async (...question) => (await this.#get()).has(...question);
  readonly read: ContentSource['read'] = async (...question) => (await this.#get()).read(...question);
  readonly below: ContentSource['below'] = async (...question) => (await this.#get()).below(...question);

  begin(): void {
    this.#source?.begin();
  }

  contradictions(...question: Parameters<ContentSource['contradictions']>): readonly Contradiction[] {
    return this.#source?.contradictions(...question) ?? [];
  }

  notices(): readonly string[] {
    return this.#source?.notices() ?? [];
  }

  async #get(): Promise<ContentSource> {
    this.#opened ??= this.#open();
    return (this.#source = await this.#opened);
  }
}
