// What `--json` writes: every type of record, field by field. The types of the code and schema.json are both made from
// these, so that neither can say anything else; loading them costs time, so the commands import the types alone.

import * as v from 'valibot';

/** Raised when a field is taken away or changes its meaning; what is added alone does not raise it. */
export const recordsVersion = 1;

const text = v.string();
const flag = v.boolean();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const bytes = v.pipe(count, v.description('bytes'));
const milliseconds = v.pipe(v.number(), v.minValue(0), v.description('milliseconds'));
const digest = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{64}\/\d+$/),
  v.description('SHA-256, "/", and the size in bytes'),
);
const place = v.pipe(v.string(), v.description('file:line:column in files of the person'));
const code = v.pipe(v.string(), v.regex(/^[A-Z][A-Z_]*$/), v.description('stable; scripts may match it'));
const hint = v.pipe(v.string(), v.description('what to do next'));

const stepKind = v.picklist(['fetch', 'unpack', 'write', 'compose', 'local', 'run']);
const nodeKind = v.picklist(['tree', 'blob', 'symlink']);
const change = v.picklist(['added', 'removed', 'changed']);

const step = {
  id: v.pipe(digest, v.description('the derivation id')),
  name: text,
  kind: stepKind,
  target: v.optional(v.pipe(text, v.description('of commands: what their output is for'))),
};

const incremental = v.optional(
  v.pipe(
    v.literal(true),
    v.description(
      'made in folders that an earlier build had left, or with a compile cache, and not proven by a clean build yet',
    ),
  ),
);

const compileCache = v.optional(
  v.pipe(
    v.strictObject({ hits: count, misses: count }),
    v.description('compilations that a compile cache answered, and that it did not; where one was used'),
  ),
);

const elsewhere = {
  executor: v.pipe(text, v.description('the server')),
  worker: v.optional(text),
  queuedMs: v.optional(milliseconds),
  fetchedMs: v.optional(milliseconds),
  executedMs: v.optional(milliseconds),
  uploadedMs: v.optional(milliseconds),
};

const remote = v.optional(
  v.pipe(
    v.strictObject({
      ...elsewhere,
      left: v.pipe(
        v.strictObject({ files: count, sizeBytes: bytes }),
        v.description('what of its outputs stayed there, until something here needs it'),
      ),
    }),
    v.description(
      'of a command that was done, or failed, elsewhere: where, and where time went, as far as the server says so',
    ),
  ),
);

const outputs = v.pipe(
  v.record(v.string(), v.string()),
  v.description('by name of the output: its digest, or where it points to if it is a symbolic link'),
);

const reason = v.variant('kind', [
  v.strictObject({ kind: v.picklist(['realised', 'never-built', 'output-missing', 'requested']) }),
  v.strictObject({ kind: v.literal('changed'), fields: v.array(text) }),
  v.strictObject({ kind: v.literal('input-changed'), inputs: v.array(text) }),
]);

const failureReason = v.variant('kind', [
  v.strictObject({ kind: v.literal('exit'), status: v.number() }),
  v.strictObject({ kind: v.literal('signal'), signal: text }),
  v.strictObject({ kind: v.picklist(['timeout', 'silence']), limitSeconds: v.number() }),
  v.strictObject({ kind: v.picklist(['memory', 'log-size']), limitBytes: bytes }),
  v.strictObject({ kind: v.literal('processes'), limitCount: count }),
  v.strictObject({ kind: v.picklist(['disk-full', 'bad-output', 'input']) }),
]);

const side = v.strictObject({
  kind: nodeKind,
  sizeBytes: v.optional(bytes),
  executable: v.optional(flag),
  target: v.optional(v.pipe(text, v.description('where a symbolic link points to'))),
});

const difference = {
  path: text,
  change,
  before: v.optional(side),
  after: v.optional(side),
  offset: v.optional(v.pipe(count, v.description('the first byte that differs'))),
};

const fieldChange = v.strictObject({
  kind: v.literal('field'),
  path: v.pipe(text, v.description('such as env.CFLAGS or argv[2]')),
  before: v.optional(v.unknown()),
  after: v.optional(v.unknown()),
});
const inputChange = v.strictObject({ kind: v.literal('input'), path: text, before: digest, after: digest });

const componentSide = v.strictObject({ version: text, sizeBytes: bytes });
const totals = v.strictObject({ files: count, sizeBytes: bytes });
const share = { name: text, sizeBytes: bytes, files: count };

const fieldsOf = <const Fields extends v.ObjectEntries>(what: string, fields: Fields) =>
  v.pipe(v.strictObject(fields), v.description(what));

const deployStep = {
  step: v.picklist(['clear', 'stage', 'modules', 'try', 'restart', 'settle', 'forget']),
  path: v.optional(v.pipe(text, v.description('in the output, or on the machine'))),
  sentBytes: v.optional(bytes),
};

const records = {
  error: fieldsOf('What ended the command, after whatever it wrote before.', {
    status: v.pipe(count, v.description('the exit status of the process')),
    code,
    message: text,
    where: v.optional(
      v.pipe(text, v.description('the place in a file of the person, or the report of a bug')),
    ),
    hint: v.optional(hint),
    stack: v.optional(v.pipe(text, v.description('of a bug, with CAIRN_DEBUG=1'))),
  }),
  planned: fieldsOf(
    'How much a build is going to do. A planned-step follows for each step that is to be done.',
    { toDo: count, upToDate: count },
  ),
  'planned-step': fieldsOf('A step that is going to be done, and why.', {
    ...step,
    decision: v.picklist(['substitute', 'build']),
    reason,
    expectedMs: v.optional(milliseconds),
    downloadBytes: v.optional(v.pipe(bytes, v.description('of a download, where its pin says so'))),
    failure: v.optional(
      v.pipe(
        v.strictObject({ code, message: text, hint: v.optional(hint) }),
        v.description('the error that this step is going to end with, where it can be told beforehand'),
      ),
    ),
  }),
  'step-started': fieldsOf('A step has what it needs and is being done.', {
    ...step,
    expectedMs: v.optional(milliseconds),
    place: v.optional(v.pipe(place, v.description('where the config made the step'))),
  }),
  'step-waiting': fieldsOf('Another process does the same; this one waits for it.', {
    ...step,
    holder: text,
  }),
  'step-output': fieldsOf('A piece of what a step writes, as it comes; not necessarily whole lines.', {
    ...step,
    text,
    omittedBytes: v.optional(
      v.pipe(bytes, v.description('what came before it and is only in the log: the reader was too slow')),
    ),
  }),
  'step-progress': fieldsOf('How far a download is.', {
    ...step,
    doneBytes: bytes,
    totalBytes: v.optional(bytes),
  }),
  'step-finished': fieldsOf('A step is over.', {
    ...step,
    outcome: v.pipe(
      v.picklist(['up-to-date', 'reused', 'substituted', 'built', 'failed', 'skipped', 'cancelled']),
      v.description('outputs come with the first four, durationMs with substituted, built and failed'),
    ),
    outputs: v.optional(outputs),
    durationMs: v.optional(milliseconds),
    log: v.optional(v.pipe(digest, v.description('all that the command wrote'))),
    incremental,
    signers: v.optional(
      v.pipe(v.array(text), v.description('of a substituted step: whose word it was taken on')),
    ),
    compileCache,
    remote,
    because: v.optional(v.pipe(v.array(text), v.description('of a skipped step: what failed below it'))),
    reason: v.optional(failureReason),
    code: v.optional(code),
    message: v.optional(text),
    hint: v.optional(hint),
    place: v.optional(v.pipe(place, v.description('of a failed step: where the config made it'))),
    logTail: v.optional(v.array(text)),
    logFile: v.optional(text),
    keptFolder: v.optional(text),
  }),
  'local-source': fieldsOf('What the command is about is made from a folder, in place of an input.', {
    input: text,
    folder: v.pipe(text, v.description('absolute')),
    tree: v.pipe(digest, v.description('what it holds')),
    commit: v.optional(v.pipe(text, v.description("of git, where it is a work tree's"))),
    isChanged: v.optional(v.pipe(flag, v.description('whether it holds something else than the commit'))),
  }),
  notice: fieldsOf('Something worth a line that is not about the life of a step.', {
    message: text,
    hint: v.optional(hint),
    id: v.optional(step.id),
    name: v.optional(text),
    kind: v.optional(stepKind),
    target: step.target,
  }),
  target: fieldsOf('What a build made of an output that was asked for.', {
    target: v.pipe(text, v.description('NAME@TARGET')),
    id: step.id,
    output: text,
    state: v.picklist(['up-to-date', 'reused', 'substituted', 'built', 'failed']),
    kind: v.optional(nodeKind),
    digest: v.optional(digest),
    incremental,
    files: v.optional(count),
    sizeBytes: v.optional(bytes),
  }),
  done: fieldsOf('The end of a build.', {
    ok: flag,
    elapsedMs: milliseconds,
    buildersCpuMs: milliseconds,
    compileCache,
  }),
  round: fieldsOf('A watch builds: for the first time, or because something has changed. Its steps follow.', {
    round: v.pipe(count, v.description('from 1')),
    changed: v.pipe(v.array(text), v.description('the first of the paths that have changed')),
    changedCount: v.optional(
      v.pipe(count, v.description('how many there are; absent when all was looked at')),
    ),
  }),
  'round-finished': fieldsOf('A round is over.', {
    round: count,
    result: v.pipe(
      v.picklist(['built', 'failed', 'cancelled']),
      v.description('cancelled: it was stale, and another one follows'),
    ),
    elapsedMs: milliseconds,
  }),
  waiting: fieldsOf('A watch has nothing to do until something changes.', {
    folders: v.pipe(count, v.description('how many are watched, beside those of the config')),
  }),
  problem: fieldsOf(
    'What is wrong with the config, the lock or a local folder, or keeps a watch from building. It goes on.',
    {
      code,
      message: text,
      where: v.optional(text),
      hint: v.optional(hint),
    },
  ),
  'problem-solved': fieldsOf('Nothing is wrong with them any more.', {}),
  'then-finished': fieldsOf('The command of --then has ended by itself.', {
    status: v.optional(v.pipe(count, v.description('its exit status'))),
    signal: v.optional(v.pipe(text, v.description('what ended it, if that was a signal'))),
  }),
  output: fieldsOf('An output of the flake.', {
    id: step.id,
    name: text,
    target: text,
    kind: stepKind,
    description: v.optional(text),
  }),
  'broken-output': fieldsOf('An output of the flake that cannot be built, and why.', {
    name: text,
    target: text,
    description: v.optional(text),
    code,
    message: text,
    where: v.optional(place),
    hint: v.optional(hint),
  }),
  explained: fieldsOf('How an output is beside its last build. A cause follows for each step that changed.', {
    target: v.pipe(text, v.description('NAME@TARGET')),
    id: step.id,
    state: v.pipe(
      v.picklist(['up-to-date', 'changed', 'output-missing']),
      v.description('output-missing: nothing changed, but the output is gone from the store'),
    ),
    toDo: v.pipe(count, v.description('steps that the next build does')),
    expectedMs: v.optional(v.pipe(milliseconds, v.description('what those took the last time, together'))),
  }),
  compared: fieldsOf(
    'How an output is beside what a cache has. A cause follows for each step that differs.',
    {
      target: v.pipe(text, v.description('NAME@TARGET')),
      id: step.id,
      cache: text,
      isAsked: v.pipe(flag, v.description('builds of this project ask it')),
      state: v.pipe(
        v.picklist(['there', 'content-gone', 'refused', 'left-out', 'differs']),
        v.description(
          'content-gone: its records are there, and its content is not; refused: it is there, and does not count; left-out: the same was made there, and not moved',
        ),
      ),
      signers: v.optional(v.array(text)),
      refusal: v.optional(v.picklist(['forged', 'untrusted', 'too-few', 'disputed', 'unclaimed'])),
      need: v.optional(v.pipe(count, v.description('so many trusted keys would have to say it'))),
      edition: v.optional(
        v.pipe(
          v.strictObject({ name: text, derivation: text, builtAt: text, signer: text, isTrusted: flag }),
          v.description('what is there under the name: what it is compared with'),
        ),
      ),
      editions: v.optional(v.pipe(count, v.description('how many there are under the name'))),
    },
  ),
  cause: fieldsOf(
    'A step that is not what it was when it was last built, or, after `compared`, what it is in the cache. Root causes come first.',
    {
      ...step,
      root: flag,
      toDo: flag,
      asBefore: v.optional(
        v.pipe(v.literal(true), v.description('it comes out as it was, whatever changed below it')),
      ),
      expectedMs: v.optional(v.pipe(milliseconds, v.description('what it took the last time'))),
      changes: v.optional(
        v.pipe(
          v.array(v.variant('kind', [fieldChange, inputChange])),
          v.description('absent when it was never built'),
        ),
      ),
      failure: v.optional(
        v.pipe(
          v.strictObject({ code, message: text, hint: v.optional(hint) }),
          v.description('the error that this step is going to end with, where it can be told beforehand'),
        ),
      ),
    },
  ),
  unproven: fieldsOf(
    'A result on this machine that was made incrementally, and that no clean build has given yet.',
    step,
  ),
  check: fieldsOf('A step was built a second time.', {
    ...step,
    promoted: v.optional(
      v.pipe(v.literal(true), v.description('it was made incrementally before; this time cleanly')),
    ),
    result: v.picklist(['identical', 'different', 'failed']),
    files: v.array(
      v.strictObject({
        ...difference,
        output: text,
        line: v.pipe(text, v.description('the same for people')),
      }),
    ),
  }),
  entry: fieldsOf('A file, folder or link of an output.', {
    path: text,
    kind: nodeKind,
    sizeBytes: v.optional(bytes),
    executable: v.optional(flag),
    digest: v.optional(digest),
    target: v.optional(v.pipe(text, v.description('where a symbolic link points to'))),
  }),
  path: fieldsOf('Where content lies on this machine.', {
    target: v.pipe(text, v.description('as it was asked for')),
    path: v.pipe(text, v.description('with --digest: the digest')),
    digest: v.optional(digest),
  }),
  log: fieldsOf('What a command wrote, and where it was done.', {
    step: text,
    text,
    outcome: v.pipe(
      v.picklist(['built', 'substituted', 'failed']),
      v.description('what came of it; of what was substituted the log did not come here'),
    ),
    here: v.optional(
      v.pipe(
        v.literal(true),
        v.description(
          'on this machine; where it is not known where a step failed, there is neither this nor remote',
        ),
      ),
    ),
    signers: v.optional(
      v.pipe(v.array(text), v.description('of a substituted step: whose word it was taken on')),
    ),
    remote: v.optional(
      v.pipe(
        v.strictObject(elsewhere),
        v.description(
          'of a command that was done, or failed, elsewhere: where, and where time went, as far as the server says so',
        ),
      ),
    ),
  }),
  difference: fieldsOf('A path at which two outputs differ.', difference),
  'image-difference': fieldsOf('How two images differ.', {
    components: v.array(
      v.strictObject({
        name: text,
        change,
        before: v.optional(componentSide),
        after: v.optional(componentSide),
      }),
    ),
    files: v.array(
      v.strictObject({
        path: text,
        component: text,
        change,
        before: v.optional(bytes),
        after: v.optional(bytes),
        attributes: v.pipe(
          v.array(
            v.strictObject({
              name: v.picklist(['target', 'mode', 'uid', 'gid']),
              before: v.optional(text),
              after: v.optional(text),
            }),
          ),
          v.description('what else than its content differs, of a file that both have'),
        ),
      }),
    ),
    output: v.pipe(
      v.array(v.strictObject(difference)),
      v.description(
        'the files of the two outputs that differ, the disks among them; none: they are identical',
      ),
    ),
    before: totals,
    after: totals,
  }),
  'image-size': fieldsOf('What takes the room in an image.', {
    partitions: v.array(
      v.strictObject({
        role: text,
        offsetBytes: bytes,
        sizeBytes: bytes,
        usedBytes: v.optional(bytes),
        fileSystem: v.optional(text),
      }),
    ),
    components: v.array(v.strictObject({ ...share, version: text })),
    folders: v.array(v.strictObject(share)),
  }),
  'option-difference': fieldsOf('An option in which two configurations of a kernel differ.', {
    option: v.pipe(text, v.description('without CONFIG_')),
    change,
    before: v.optional(v.pipe(text, v.description('y, m, n, a number, or a text in quotes'))),
    after: v.optional(text),
  }),
  'kernel-fragment': fieldsOf('What was chosen in the menu of a kernel, beside what is asked for anyway.', {
    target: text,
    name: text,
    options: v.array(v.strictObject({ option: text, value: text, overrules: flag })),
    text: v.pipe(text, v.description('the fragment as a module for the config')),
    file: v.optional(v.pipe(text, v.description('where it was written to'))),
  }),
  'compile-commands': fieldsOf('How each object of a kernel is compiled, as a compilation database.', {
    target: text,
    count,
    commands: v.optional(v.array(v.strictObject({ directory: text, file: text, arguments: v.array(text) }))),
    file: v.optional(v.pipe(text, v.description('where it was written to, instead of here'))),
  }),
  'series-commit': fieldsOf('What became of an output with one commit of a series.', {
    commit: text,
    subject: text,
    target: v.pipe(text, v.description('NAME@TARGET')),
    state: v.picklist(['built', 'up-to-date', 'failed']),
    digest: v.optional(digest),
    elapsedMs: milliseconds,
    failed: v.optional(v.pipe(v.array(text), v.description('the steps that failed'))),
  }),
  'bisected-commit': fieldsOf('What a commit turned out to be.', {
    commit: text,
    verdict: v.picklist(['good', 'bad', 'skip']),
  }),
  'first-bad-commit': fieldsOf('The end of a bisection.', { commit: text, subject: text }),
  graph: fieldsOf('What is built from what; an edge leads from an input to what needs it.', {
    nodes: v.array(v.strictObject(step)),
    edges: v.array(v.strictObject({ from: digest, to: digest })),
  }),
  console: fieldsOf(
    'A piece of what a machine says that is run with --expect; not necessarily whole lines.',
    {
      text,
    },
  ),
  said: fieldsOf('A machine has said something that --expect awaits.', {
    text,
    elapsedMs: v.pipe(milliseconds, v.description('since it was started')),
  }),
  'deploy-plan': fieldsOf('What is going to be done on a machine that is given a kernel.', {
    host: text,
    target: v.pipe(text, v.description('NAME@TARGET')),
    release: v.pipe(text, v.description('of the kernel that runs there')),
    way: v.picklist(['uefi', 'raspberry-pi', 'other']),
    sentBytes: bytes,
    steps: v.array(v.strictObject(deployStep)),
  }),
  'deploy-step': fieldsOf('A step of that was done.', { ...deployStep, durationMs: milliseconds }),
  deployed: fieldsOf('A machine was given a kernel.', {
    host: text,
    target: v.pipe(text, v.description('NAME@TARGET')),
    outcome: v.pipe(
      v.picklist(['running', 'starts-next', 'waits-for-restart']),
      v.description('waits-for-restart: it is tried then, and the same command afterwards keeps it'),
    ),
    sentBytes: bytes,
    durationMs: milliseconds,
  }),
  flashed: fieldsOf('An image was written to a device, and reads back the same.', {
    device: text,
    writtenBytes: bytes,
    durationMs: milliseconds,
  }),
  created: fieldsOf('A file or folder of a new project.', {
    folder: v.pipe(text, v.description('of the project, absolute')),
    path: v.pipe(text, v.description('in it')),
  }),
  'lock-change': fieldsOf('A pin that was moved, is new (no from) or gone (no to).', {
    input: text,
    name: text,
    from: v.optional(text),
    to: v.optional(text),
  }),
  'audit-finding': fieldsOf('A Debian source in images, of which there is something newer.', {
    source: text,
    origin: v.pipe(
      v.picklist(['debian', 'here']),
      v.description('debian: its binary packages are used; here: its original archive is built'),
    ),
    version: text,
    newest: text,
    packages: v.array(text),
    parts: v.pipe(v.array(text), v.description('components of the images')),
    level: v.optional(
      v.pipe(v.picklist(['update', 'security', 'cve']), v.description('absent when all of it is waived')),
    ),
    cves: v.pipe(
      v.array(text),
      v.description('fixed since, by the changelog, and neither patched nor waived here'),
    ),
    ruledOut: v.pipe(v.array(text), v.description('fixed since, in files that no kernel of the images has')),
    waived: v.array(
      v.strictObject({
        cve: v.optional(v.pipe(text, v.description('absent: all of it'))),
        reason: text,
        until: v.pipe(text, v.description('the last day on which it counts')),
      }),
    ),
    isServed: v.pipe(flag, v.description('false when no mirror has what is listed')),
    unread: v.optional(v.pipe(text, v.description('why further CVEs may be fixed that are not named'))),
  }),
  'audit-unknown': fieldsOf('A component of an image that nobody lists versions of.', {
    part: text,
    reason: text,
  }),
  audit: fieldsOf('The end of an audit.', {
    images: v.array(text),
    sources: v.pipe(count, v.description('Debian sources that were looked at')),
    open: v.pipe(
      v.strictObject({ update: count, security: count, cve: count }),
      v.description('findings that are not waived, by level'),
    ),
    waived: v.pipe(count, v.description('findings of which all is waived')),
    unknown: count,
  }),
  source: fieldsOf('A download that is in the folder now.', { urls: v.array(text), digest }),
  key: fieldsOf('A key was made.', {
    name: text,
    publicKey: v.pipe(text, v.description('for the trust of others')),
    file: v.pipe(text, v.description('of the secret part')),
  }),
  'not-pushed': fieldsOf('A step that was not brought to a cache.', {
    ...step,
    why: v.pipe(
      v.picklist(['unproven', 'absent', 'cheaper-to-make']),
      v.description(
        'it, or something below it, was made incrementally; it is not built here; or it is sooner made again than moved',
      ),
    ),
  }),
  pushed: fieldsOf('What was brought to a cache.', {
    cache: text,
    steps: v.pipe(count, v.description('whose results are there now')),
    contents: v.pipe(count, v.description('files and directories that it did not have')),
    records: count,
    sentBytes: bytes,
  }),
  serving: fieldsOf('A store is shared from now on.', {
    url: v.pipe(text, v.description('what others name among their caches')),
    grpcUrl: v.optional(v.pipe(text, v.description('the same over the Remote Execution API'))),
    store: text,
    writers: v.pipe(v.array(text), v.description('the names of who may write')),
  }),
  request: fieldsOf('A request to a store that is shared, once it has ended.', {
    at: v.pipe(text, v.description('when it began, as ISO 8601 has it')),
    address: text,
    holder: v.optional(v.pipe(text, v.description('whose token was shown'))),
    method: text,
    path: text,
    status: count,
    sentBytes: bytes,
    receivedBytes: bytes,
    durationMs: milliseconds,
    isWhole: v.pipe(flag, v.description('false when the connection ended before the answer did')),
  }),
  'cache-status': fieldsOf('What would become of a step that is not up to date.', {
    ...step,
    state: v.pipe(v.picklist(['taken', 'built']), v.description('taken from a cache, or built here')),
  }),
  'cache-summary': fieldsOf('How much would be taken, and how much built.', {
    taken: count,
    built: count,
    takenBytes: v.optional(v.pipe(bytes, v.description('before compression, where that is known'))),
  }),
  provenance: fieldsOf('How an output was made.', {
    target: text,
    file: v.optional(text),
    envelope: v.pipe(
      v.strictObject({
        payloadType: text,
        payload: text,
        signatures: v.array(v.strictObject({ keyid: text, sig: text })),
      }),
      v.description('DSSE, around an in-toto statement with SLSA provenance v1'),
    ),
  }),
  conflict: fieldsOf('A step that others, who are trusted, have made otherwise: it is not reproducible.', {
    ...step,
    output: text,
    here: v.pipe(text, v.description('what was made here, which counts')),
    there: v.pipe(text, v.description('what they made')),
    signers: v.pipe(v.array(text), v.description('who say so')),
    paths: v.optional(v.pipe(v.array(text), v.description('that differ, where that can be told'))),
  }),
  'cache-damage': fieldsOf('A file of a cache that is not what it should be.', { file: text, problem: text }),
  'cache-verified': fieldsOf('What a cache was found to have.', {
    cache: text,
    records: v.pipe(count, v.description('with a genuine signature')),
    outputs: count,
    contents: v.pipe(count, v.description('files and directories that are what their digests say')),
    readBytes: bytes,
    damages: count,
    leftovers: v.pipe(count, v.description('files that nothing leads to')),
    mendedOutputs: v.optional(v.pipe(count, v.description('that were brought anew'))),
    stayedAt: v.optional(
      v.pipe(
        v.array(text),
        v.description('servers with which some of the rest stayed, and from which it did not come'),
      ),
    ),
  }),
  'lost-build': fieldsOf('A result that garbage collection deletes, and what having it again costs.', {
    name: text,
    durationMs: milliseconds,
  }),
  gc: fieldsOf('What garbage collection deleted, or would delete.', {
    dryRun: flag,
    blobs: count,
    sizeBytes: bytes,
    realisations: count,
    rebuildMs: milliseconds,
    keptFolders: count,
    keptBytes: v.optional(
      v.pipe(count, v.description('what the store takes afterwards, where a size was asked for')),
    ),
  }),
  root: fieldsOf('A name that keeps outputs in the store.', { name: text, derivations: v.array(digest) }),
  usage: fieldsOf('How much room a part of the store takes.', { name: text, files: count, sizeBytes: bytes }),
  'kept-folder': fieldsOf(
    'What the folders that are kept for the next build of a step take, or its compile cache.',
    {
      part: v.pipe(v.picklist(['work', 'compile-caches']), v.description('of the store, in which they lie')),
      name: v.pipe(text, v.description('the name of the step')),
      files: count,
      sizeBytes: bytes,
      usedAtMs: v.pipe(count, v.description('milliseconds since 1970')),
    },
  ),
  verified: fieldsOf('A part of the store was read again.', {
    name: v.picklist(['records', 'blobs', 'directories', 'trees', 'realisations']),
    durationMs: milliseconds,
    checked: count,
    sizeBytes: bytes,
  }),
  left: fieldsOf('Files of results that stayed with the workers who made them, and never came here.', {
    place: v.pipe(text, v.description('the server')),
    files: count,
    sizeBytes: bytes,
  }),
  damage: fieldsOf('Something in the store that is not what it should be.', {
    damage: v.picklist(['blob', 'record', 'directory', 'tree', 'missing']),
    path: v.optional(text),
    name: v.optional(text),
    table: v.optional(text),
    key: v.optional(text),
    digest: v.optional(digest),
    wantedBy: v.optional(text),
  }),
  'database-mended': fieldsOf('The database was damaged, and is a fresh one with what could be read.', {
    kept: v.pipe(count, v.description('records')),
    damages: v.array(text),
    keptAs: v.pipe(text, v.description('where the damaged one is')),
  }),
  'set-aside': fieldsOf('Damage was taken out of the way.', { damages: count, derivations: v.array(digest) }),
  repaired: fieldsOf('What was damaged is built again.', { wanted: count, ok: flag }),
  finding: fieldsOf('Something that doctor looked at.', {
    subject: text,
    state: v.picklist(['ok', 'warn', 'fail']),
    message: text,
    hint: v.optional(hint),
  }),
} as const;

type Definitions = typeof records;
export type RecordType = keyof Definitions;

/** The fields of one type of record, beside its type and the version. */
export type FieldsOf<Type extends RecordType> = DeepReadonly<v.InferOutput<Definitions[Type]>>;
export type RecordOf<Type extends RecordType> = { readonly type: Type } & FieldsOf<Type>;
/** Any record, without the version that all of them carry. */
export type JsonRecord = { readonly [Type in RecordType]: RecordOf<Type> }[RecordType];

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

/** Each type with what it is for and the schema of a whole line of it. */
export const lineSchemas = Object.entries(records).map(([type, fields]) => ({
  type,
  what: v.getDescription(fields) ?? '',
  schema: v.strictObject({ v: v.literal(recordsVersion), type: v.literal(type), ...fields.entries }),
}));
