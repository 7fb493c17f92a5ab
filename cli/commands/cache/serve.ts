// cairn cache serve: shares the store of this machine with a team, over HTTP.

import { InvalidArgumentError } from 'commander';
import { pushSteps } from '../../../engine/caches/index.ts';
import { UserError } from '../../../store/base/errors.ts';
import { readNamedFile, UnreadableFile } from '../../../store/base/named-file.ts';
import { parsePublicKey, type PublicKey, type Store } from '../../../store/index.ts';
import {
  openReapiService,
  parseTokens,
  ServedStore,
  ShelfServer,
  type ServedRequest,
  type Token,
} from '../../../store/serve/index.ts';
import type { DefineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import { exitCodes, type ExitCode } from '../../exit-codes.ts';
import { addHelpNotes } from '../../help.ts';
import { cacheSettings } from '../../person/cache-settings.ts';
import { signingKey } from '../../person/key-files.ts';
import { withStore } from '../../project/opened-store.ts';
import { openProject } from '../../project/project.ts';
import { namesIn } from '../../project/named-outputs.ts';
import { configuredSize, parseSize } from '../../project/store-size.ts';
import { accessLine } from '../../render/access-line.ts';
import { formatBytes, formatCount } from '../../render/units.ts';
import { LeavingRecords, writeRecords } from '../../records/write-records.ts';
import { parseCount } from '../build.ts';

interface ServeFlags {
  readonly listen: Address;
  readonly grpc?: Address;
  readonly tokens?: string;
  readonly private?: boolean;
  readonly trust?: readonly string[];
  readonly key?: string;
  readonly tlsCertificate?: string;
  readonly tlsKey?: string;
  readonly maxSize?: number;
  readonly maxUpload: number;
  readonly maxConnections: number;
  readonly rate: number;
  readonly grace: number;
  readonly log: boolean;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where tokens are found when no file is named. */
const tokensVariable = 'CAIRN_SERVE_TOKENS';
/** Packs that were made to be sent. */
const copiesBytes = 2_000_000_000;

export const defineServe: DefineCommand = (cache, runs) => {
  const command = cache
    .command('serve')
    .description('share the store of this machine')
    .argument('[output...]', 'sign and share these at once, as far as they are built')
    .option(
      '--listen <host:port>',
      'where; port 0 takes a free one',
      parseAddress,
      parseAddress('127.0.0.1:7450'),
    )
    .option('--grpc <host:port>', 'speak the Remote Execution API as well, there', parseAddress)
    .option('--tokens <file>', 'who may write: lines NAME TOKEN; without any, nobody may')
    .option('--private', 'reading needs a token, too')
    .option('--trust <key...>', "take what these keys have signed, and the person's own trusted keys")
    .option('--key <name>', 'the key to sign with, if there are several')
    .option('--tls-certificate <file>', 'speak HTTPS, with this certificate (PEM)')
    .option('--tls-key <file>', 'and this key')
    .option('--max-size <size>', 'keep the store this small, used last goes last', parseSize)
    .option('--max-upload <size>', 'the largest file that is taken', parseSize, 16e9)
    .option(
      '--max-connections <count>',
      'more at once, or than this process may have open, push out those that wait',
      parseCount,
      2048,
    )
    .option('--rate <count>', 'requests a second that one address may make', parseCount, 2000)
    .option('--grace <seconds>', 'wait so long, at the end, for what is under way', parseCount, 10)
    .option('--no-log', 'say nothing of requests')
    .action(runs(serve));
  addHelpNotes(command, {
    about:
      'Others name its URL among their caches, and push to it with CAIRN_CACHE_TOKEN=HOST:PORT=TOKEN. What is pushed is\n' +
      'compared with its digest, and records with their signature, before anybody sees it. Requests are logged to standard\n' +
      `output, in the common log format or with --json. Tokens may also stand in ${tokensVariable}. /healthz answers as long as it\n` +
      'works, /metrics says to Prometheus what it does. SIGTERM and Ctrl-C end it when what is under way has ended.',
    examples: [
      ['cairn cache serve rpi', 'to this machine alone: what was built of rpi'],
      ['cairn cache serve --listen 0.0.0.0:7450 --tokens /etc/cairn/tokens --max-size 200G', 'for a team'],
    ],
    exitCodes: [0, 1, 2],
  });
};

async function serve(context: Context, flags: ServeFlags, targets: readonly string[]): Promise<ExitCode> {
  const { env } = context;
  const [tokens, tls] = [tokensOf(flags, env), tlsOf(flags)];
  if (flags.private === true && tokens.length === 0)
    throw new UserError('USAGE', 'with --private and no tokens nobody could read', {
      hint: 'Name a file with --tokens.',
    });
  const keys = keysOf(flags, env);
  const maxBytes = flags.maxSize ?? configuredSize(env);
  return withStore(context, async (store) => {
    const log = openLog(context, flags);
    const running: { server?: ShelfServer } = {};
    const served = await ServedStore.open(store, {
      keys,
      mostBlobBytes: flags.maxUpload,
      copiesBytes,
      ...(maxBytes !== undefined && { maxBytes }),
      onCollected: ({ sizeBytes, blobs }) => {
        running.server?.metrics.collected(sizeBytes);
        log.note(
          `deleted ${formatCount(blobs, 'file')}, ${formatBytes(sizeBytes)}, that was not used for longest`,
        );
      },
      onError: log.error,
    });
    if (targets.length > 0) await shareTargets(context, { flags, targets, store, served });
    const server = await ShelfServer.listen(served, flags.listen, {
      tokens,
      isPrivate: flags.private === true,
      mostConnections: flags.maxConnections,
      mostRequestsPerSecond: flags.rate,
      ...(tls && { tls }),
      onRequest: log.request,
      onError: log.error,
    });
    running.server = server;
    const { connections } = server;
    const options = { flags, served, tokens, tls, connections, onError: log.error };
    const service = await openService(options).catch(async (error: unknown) => {
      await server.stop(0);
      throw error;
    });
    // Whoever is told of it finds all doors open.
    const writers = tokens.map(({ name }) => name);
    tellStart(context, { url: server.url, grpcUrl: service?.url, store: store.path, writers });
    await untilAborted(context.signal);
    const all = service === undefined ? [server] : [server, service];
    await Promise.all(all.map((each) => each.stop(flags.grace * 1000)));
    await served.settled();
    await log.left();
    return exitCodes.ok;
  });
}

async function openService({
  flags: { grpc, private: isPrivate = false },
  served,
  tokens,
  tls,
  connections,
  onError,
}: {
  readonly flags: ServeFlags;
  readonly served: ServedStore;
  readonly tokens: readonly Token[];
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  readonly connections: ShelfServer['connections'];
  readonly onError: (error: unknown) => void;
}): Promise<{ readonly url: string; stop(graceMs: number): Promise<void> } | undefined> {
  if (grpc === undefined) return undefined;
  const host = grpc.host.includes(':') ? `[${grpc.host}]` : grpc.host;
  const options = { tokens, isPrivate, connections, onError, ...(tls && { tls }) };
  const service = await openReapiService(served, grpc, options);
  const url = `${tls === undefined ? 'grpc' : 'grpcs'}://${host}:${service.port}`;
  return { url, stop: (graceMs) => service.stop(graceMs) };
}

async function shareTargets(
  context: Context,
  {
    flags,
    targets,
    store,
    served,
  }: {
    readonly flags: ServeFlags;
    readonly targets: readonly string[];
    readonly store: Store;
    readonly served: ServedStore;
  },
): Promise<void> {
  const key = signingKey(flags.key, context.env);
  await using project = await openProject(context, { targets, store, settings: { usesCaches: false } });
  const wanted = [...new Set(targets.map((target) => project.find(target).id))];
  const { evaluation } = project;
  const report = await pushSteps(wanted, {
    store,
    steps: evaluation.steps,
    cache: { push: (push) => served.share(push) },
    bringLeft: (ids) => project.build.bringLeft(ids),
    namesOf: namesIn(evaluation),
    key,
    signal: context.signal,
  });
  const left = report.unproven.length + report.absent.length;
  if (context.shared.json !== true)
    context.err.lines([
      `shares ${formatCount(report.steps.length, 'step')}${left === 0 ? '' : `; ${formatCount(left, 'output')} not built here, or not proven`}`,
    ]);
}

interface Log {
  readonly request: (request: ServedRequest) => void;
  readonly error: (error: unknown) => void;
  readonly note: (text: string) => void;
  readonly left: () => Promise<void>;
}

function openLog({ out, err, shared }: Context, { log }: ServeFlags): Log {
  const records = new LeavingRecords(out);
  const note = (text: string): void => err.lines([text]);
  return {
    note,
    error: (error) => note(`error: ${error instanceof Error ? error.message : String(error)}`),
    left: () => records.left(),
    request: (request) => {
      // Who reads the log slowly, or not at all, does not fill the memory.
      if (!log || out.isBehind()) return;
      if (shared.json !== true) {
        out.lines([accessLine(request)]);
        return;
      }
      const { at, holder, ...fields } = request;
      records.add([
        { type: 'request', at: at.toISOString(), ...fields, ...(holder !== undefined && { holder }) },
      ]);
    },
  };
}

function tellStart(
  { out, err, shared }: Context,
  {
    url,
    grpcUrl,
    store,
    writers,
  }: {
    readonly url: string;
    readonly grpcUrl: string | undefined;
    readonly store: string;
    readonly writers: readonly string[];
  },
): void {
  if (shared.json === true) {
    const doors = { url, ...(grpcUrl !== undefined && { grpcUrl }) };
    writeRecords(out, [{ type: 'serving', ...doors, store, writers: [...writers] }]);
  } else {
    const who = writers.length === 0 ? 'nobody may write' : `${writers.join(', ')} may write`;
    err.lines([`serving ${store} at ${grpcUrl === undefined ? url : `${url} and ${grpcUrl}`}; ${who}`]);
  }
}

function keysOf({ trust = [] }: ServeFlags, env: NodeJS.ProcessEnv): readonly PublicKey[] {
  const own = cacheSettings({ caches: [], trust: { keys: [] } }, [], env).trust.keys;
  return [...trust.map(parsePublicKey), ...own];
}

function tokensOf({ tokens: file }: ServeFlags, env: NodeJS.ProcessEnv): readonly Token[] {
  if (file !== undefined) return parseTokens(readNamed(file).toString('utf8'), file);
  return parseTokens(env[tokensVariable] ?? '', tokensVariable);
}

function tlsOf({
  tlsCertificate,
  tlsKey,
}: ServeFlags): { readonly cert: Buffer; readonly key: Buffer } | undefined {
  if (tlsCertificate === undefined && tlsKey === undefined) return undefined;
  if (tlsCertificate === undefined || tlsKey === undefined)
    throw new UserError('USAGE', 'HTTPS needs --tls-certificate and --tls-key');
  return { cert: readNamed(tlsCertificate), key: readNamed(tlsKey) };
}

function readNamed(path: string): Buffer {
  try {
    return readNamedFile(path);
  } catch (cause) {
    const reason = cause instanceof UnreadableFile ? cause.reason : 'there is no such file';
    throw new UserError('USAGE', `${path} cannot be read: ${reason}`, { cause });
  }
}

function parseAddress(text: string): Address {
  const [, bracketed, plain = '', digits] = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  // Without digits it is no number, and greater than none.
  if (!(port <= 65_535)) throw new InvalidArgumentError('Give HOST:PORT, such as 0.0.0.0:7450.');
  const host = bracketed ?? plain;
  return { host: host === '' ? '127.0.0.1' : host, port };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
