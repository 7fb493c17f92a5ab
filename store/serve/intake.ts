// What comes in and can only be worked on when all of it is here, such as a piece, a pack or a message: until then it lies in a file,
// so that whoever takes his time has no memory and keeps nobody waiting. What is worked on is in memory, up to so many bytes at once
// for all; whoever has room there waits for no client. Knows no protocol.

import { mkdir, open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { exactBytes } from '../base/exact-bytes.ts';
import { explainWriteError } from '../content/disk-errors.ts';
import { Refusal } from './refusal.ts';

/** No more than this is kept in memory while it comes; it waits for no room, either. */
const smallBytes = 64 << 10;
const readBytes = 256 << 10;

interface Waiting {
  readonly sizeBytes: number;
  readonly grant: () => void;
}

export class Intake {
  readonly #folder: string;
  readonly #mostBytes: number;
  readonly #waiting: Waiting[] = [];
  #usedBytes = 0;
  #files = 0;
  /** On the disk now. */
  asideBytes = 0;

  /** @param folder of this process alone, removed by whoever made it */
  constructor(folder: string, mostBytes: number) {
    this.#folder = folder;
    this.#mostBytes = mostBytes;
  }

  /** What is worked on now. */
  get inMemoryBytes(): number {
    return this.#usedBytes;
  }

  /**
   * All that comes, which is its taker's to end. A failure leaves nothing of it.
   * @throws Refusal when it is more than so many bytes; UserError `DISK_FULL`; what `chunks` throws
   */
  async gather(chunks: AsyncIterable<Uint8Array>, mostBytes: number): Promise<Gathered> {
    const gathered = new Gathered(this);
    try {
      for await (const chunk of chunks) {
        if (gathered.sizeBytes + chunk.byteLength > mostBytes)
          throw new Refusal(413, `no more than ${exactBytes(mostBytes)} of this are taken`);
        await gathered.add(chunk);
      }
      return gathered;
    } catch (error) {
      await gathered[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Resolves when there is room for so much, in the order in which it is asked for. Who has some asks for no more. */
  async room(sizeBytes: number): Promise<Disposable> {
    // What is larger than all there is has it for itself.
    const own = Math.min(sizeBytes, this.#mostBytes);
    await new Promise<void>((resolve) => {
      this.#waiting.push({ sizeBytes: own, grant: resolve });
      this.#look();
    });
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (isHeld) this.#usedBytes -= own;
        isHeld = false;
        this.#look();
      },
    };
  }

  /** Gives what `content` gives, from when there is room for so much until its end. */
  async *within(
    sizeBytes: number,
    content: () => AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const room = await this.room(sizeBytes);
    try {
      yield* content();
    } finally {
      room[Symbol.dispose]();
    }
  }

  #look(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#usedBytes + next.sizeBytes > this.#mostBytes) return;
      this.#waiting.shift();
      this.#usedBytes += next.sizeBytes;
      next.grant();
    }
  }

  // It has no name: nothing of it is left, however this process ends.
  async file(): Promise<FileHandle> {
    const path = join(this.#folder, `in-${this.#files++}`);
    await mkdir(this.#folder, { recursive: true });
    const file = await open(path, 'wx+', 0o600);
    await unlink(path);
    return file;
  }

  /** What is wrong with this machine is never what is wrong with what was sent. */
  explained(error: unknown): UserError {
    const explained = explainWriteError(error, this.#folder);
    if (explained instanceof UserError) return explained;
    const reason = (error as Error).message;
    return new UserError('STORE_UNUSABLE', `what is sent cannot be put aside in ${this.#folder}: ${reason}`, {
      hint: 'Look at the disk that the store is on, and at how many files this process may have open.',
      fault: 'environment',
      cause: error,
    });
  }
}

/** Bytes that have come. */
export class Gathered implements AsyncDisposable {
  readonly #intake: Intake;
  #held: Buffer = Buffer.alloc(0);
  #heldBytes = 0;
  #file: FileHandle | undefined;
  #writtenBytes = 0;

  constructor(intake: Intake) {
    this.#intake = intake;
  }

  get sizeBytes(): number {
    return this.#writtenBytes + this.#heldBytes;
  }

  /** For whoever gathers. */
  async add(chunk: Uint8Array): Promise<void> {
    if (this.#heldBytes + chunk.byteLength <= smallBytes) {
      this.#hold(chunk);
      return;
    }
    try {
      this.#file ??= await this.#intake.file();
      if (this.#heldBytes > 0) await this.#write(this.#file, this.#held.subarray(0, this.#heldBytes));
      this.#heldBytes = 0;
      if (chunk.byteLength > smallBytes / 2) await this.#write(this.#file, chunk);
      else this.#hold(chunk);
    } catch (error) {
      throw this.#intake.explained(error);
    }
  }

  /** When there is room for all of it, and for so much `besideBytes` as is made of it: the bytes, until they are let go. */
  async open(besideBytes = 0): Promise<Disposable & { readonly bytes: Buffer }> {
    if (this.#file === undefined && besideBytes <= smallBytes)
      return { bytes: await this.bytes(), [Symbol.dispose]: () => undefined };
    const room = await this.#intake.room(this.sizeBytes + besideBytes);
    try {
      return { bytes: await this.bytes(), [Symbol.dispose]: () => room[Symbol.dispose]() };
    } catch (error) {
      room[Symbol.dispose]();
      throw error;
    }
  }

  /** All of it, for whoever has room. */
  async bytes(): Promise<Buffer> {
    const held = this.#held.subarray(0, this.#heldBytes);
    if (this.#file === undefined) return held;
    const all = Buffer.allocUnsafeSlow(this.sizeBytes);
    await this.#read(this.#file, all.subarray(0, this.#writtenBytes), 0);
    held.copy(all, this.#writtenBytes);
    return all;
  }

  /** The same, little by little. */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = 0; at < this.#writtenBytes; at += readBytes) {
      const part = Buffer.allocUnsafe(Math.min(readBytes, this.#writtenBytes - at));
      await this.#read(this.#file!, part, at);
      yield part;
    }
    if (this.#heldBytes > 0) yield this.#held.subarray(0, this.#heldBytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#intake.asideBytes -= this.#writtenBytes;
    [this.#writtenBytes, this.#heldBytes] = [0, 0];
    await this.#file?.close();
    this.#file = undefined;
  }

  // Copied: a chunk of one byte may be a view of much more.
  #hold(chunk: Uint8Array): void {
    const needed = this.#heldBytes + chunk.byteLength;
    if (needed > this.#held.byteLength) {
      const larger = Buffer.allocUnsafeSlow(
        Math.min(smallBytes, Math.max(needed, 2 * this.#held.byteLength)),
      );
      this.#held.copy(larger, 0, 0, this.#heldBytes);
      this.#held = larger;
    }
    this.#held.set(chunk, this.#heldBytes);
    this.#heldBytes = needed;
  }

  async #write(file: FileHandle, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength;) {
      const { bytesWritten } = await file.write(bytes, at, bytes.byteLength - at, this.#writtenBytes);
      at += bytesWritten;
      this.#writtenBytes += bytesWritten;
      this.#intake.asideBytes += bytesWritten;
    }
  }

  async #read(file: FileHandle, into: Buffer, from: number): Promise<void> {
    try {
      for (let at = 0; at < into.byteLength;) {
        const { bytesRead } = await file.read(into, at, into.byteLength - at, from + at);
        if (bytesRead === 0) throw new Error('it is gone');
        at += bytesRead;
      }
    } catch (error) {
      throw this.#intake.explained(error);
    }
  }
}
