// What is not done for whoever asks, as HTTP says it.

export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;

  /** @param message for whoever asked: it names nothing of this machine */
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
