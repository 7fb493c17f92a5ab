// What a server has done, counted, in the text format of Prometheus. Knows no protocol beyond methods and statuses.

/** Upper bounds, in seconds. */
const buckets = [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60];

export interface Gauges {
  readonly connections: number;
  readonly underWay: number;
  readonly untakenBytes: number;
  readonly incoming: { readonly inMemoryBytes: number; readonly asideBytes: number };
  readonly cutOff: Readonly<Record<string, number>>;
}

export class Metrics {
  readonly #requests = new Map<string, number>();
  readonly #seconds = buckets.map(() => 0);
  #sumSeconds = 0;
  #count = 0;
  #sentBytes = 0;
  #receivedBytes = 0;
  #collectedBytes = 0;

  request(done: {
    readonly method: string;
    readonly status: number;
    readonly durationMs: number;
    readonly sentBytes: number;
    readonly receivedBytes: number;
  }): void {
    const key = `method="${done.method}",status="${done.status}"`;
    this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1);
    const seconds = done.durationMs / 1000;
    for (const [at, bound] of buckets.entries()) if (seconds <= bound) this.#seconds[at]!++;
    this.#sumSeconds += seconds;
    this.#count++;
    this.#sentBytes += done.sentBytes;
    this.#receivedBytes += done.receivedBytes;
  }

  collected(sizeBytes: number): void {
    this.#collectedBytes += sizeBytes;
  }

  text({ connections, underWay, untakenBytes, incoming, cutOff }: Gauges): string {
    const { rss } = process.memoryUsage();
    return [
      ...family('cairn_requests_total', 'counter', 'Requests that were answered.', [...this.#requests]),
      ...family('cairn_sent_bytes_total', 'counter', 'Bytes of answers.', [['', this.#sentBytes]]),
      ...family('cairn_received_bytes_total', 'counter', 'Bytes that were sent here to be kept.', [
        ['', this.#receivedBytes],
      ]),
      ...family('cairn_collected_bytes_total', 'counter', 'Bytes that collections have deleted.', [
        ['', this.#collectedBytes],
      ]),
      ...family(
        'cairn_connections_cut_total',
        'counter',
        'Connections that were cut off.',
        Object.entries(cutOff).map(([why, count]) => [`why="${why}"`, count]),
      ),
      ...family('cairn_connections', 'gauge', 'Open connections.', [['', connections]]),
      ...family('cairn_requests_under_way', 'gauge', 'Requests that are being answered.', [['', underWay]]),
      ...family('cairn_untaken_bytes', 'gauge', 'Bytes in memory that clients of gRPC have not taken yet.', [
        ['', untakenBytes],
      ]),
      ...family('cairn_incoming_bytes', 'gauge', 'Bytes in memory of what was sent here.', [
        ['', incoming.inMemoryBytes],
      ]),
      ...family(
        'cairn_incoming_aside_bytes',
        'gauge',
        'Bytes on the disk of what is being sent here and cannot be worked on yet.',
        [['', incoming.asideBytes]],
      ),
      ...family('process_resident_memory_bytes', 'gauge', 'Resident memory of the process.', [['', rss]]),
      ...this.#histogram(),
      '',
    ].join('\n');
  }

  #histogram(): string[] {
    const name = 'cairn_request_seconds';
    return [
      `# HELP ${name} How long requests took.`,
      `# TYPE ${name} histogram`,
      ...buckets.map((bound, at) => `${name}_bucket{le="${bound}"} ${this.#seconds[at]}`),
      `${name}_bucket{le="+Inf"} ${this.#count}`,
      `${name}_sum ${this.#sumSeconds}`,
      `${name}_count ${this.#count}`,
    ];
  }
}

function family(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  samples: readonly (readonly [labels: string, value: number])[],
): string[] {
  const lines = samples.map(([labels, value]) => `${name}${labels === '' ? '' : `{${labels}}`} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];
}
