// What new users do wrong, each with what is printed then, word for word: it names the thing, the place where there is one, and
// the next step. `~` is the project's folder. Mistakes in a config are evaluated here, those of commands are typed.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodeOf } from '../../cli/exit-codes.ts';
import { uncoloured } from '../../cli/render/style.ts';
import { errorLines } from '../../cli/reports/report-error.ts';
import { busyboxFlake, cairnProject } from '../support/cairn-project.ts';
import { configProject } from '../support/config-project.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { testProject } from './cairn.ts';

type Files = Readonly<Record<string, string>>;

const config = 'flake-like.config.ts';

/** A config with these outputs, on line 6; what `more` says of the flake stands on line 5. */
const flake = (outputs: string, more = ''): string =>
  [
    "import { compose, defineFlake, fetchUrl, from, localFolder, run, unpack, unpackPin, write } from 'cairn-build';",
    'const hello = write({ name: "hello", files: { hello: "Hello." } });',
    'export default defineFlake({',
    "  description: 'mine',",
    `  ${more}`,
    `  outputs: ({ pins, target }) => (${outputs}),`,
    '});',
    '',
  ].join('\n');

const runs = (fields: string): string => flake(`{ app: run({ name: 'app', layers: [hello], ${fields} }) }`);

const lock = (pin: string): string => `{"version": 1, "inputs": {"tool": ${pin}}}`;
const toolPin = lock(
  `{"declaration": {"kind": "url", "urls": ["https://example.org/tool.tar.gz"]}, "pins": [{"name": "tool", "version": "1", "urls": ["https://example.org/tool.tar.gz"], "sha256": "${'0'.repeat(64)}", "sizeBytes": 1}]}`,
);
const toolInput = "inputs: { tool: { kind: 'url', urls: ['https://example.org/tool.tar.gz'] } },";
const examples =
  "{ kind: 'url', urls: ['https://…'] }, or { kind: 'debian-source', suite: 'trixie', package: 'sed' }, or " +
  "{ kind: 'debian-packages', suite: 'trixie', architecture: 'amd64', packages: ['busybox'] }, or { kind: 'local', path: '../sed' }";

/** What was written, and what is printed. */
const inConfigs: readonly (readonly [mistake: string, files: Files, status: number, printed: string])[] = [
  [
    'a comma that is missing',
    { [config]: flake('{ hello hello }') },
    2,
    `error[CONFIG_INVALID] syntax error: Unexpected token, expected ","
  at ~/flake-like.config.ts:6:43
  next: Mend the line; an editor with TypeScript shows the same error.`,
  ],
  [
    'no export',
    { [config]: flake('{ hello }').replace('export default ', '') },
    2,
    `error[CONFIG_INVALID] ~/flake-like.config.ts has no default export
  at ~/flake-like.config.ts
  next: Write export default defineFlake({ description, inputs, outputs }).`,
  ],
  [
    'a function that is not imported',
    { [config]: flake("{ all: composePackages('all', []) }") },
    2,
    `error[CONFIG_INVALID] "composePackages" is neither made nor imported here
  at ~/flake-like.config.ts:6:42
  next: Write import { composePackages } from 'cairn-build'.`,
  ],
  [
    'a misspelt import',
    { [config]: flake('{ all: composed({}) }').replace('compose,', 'composed,') },
    2,
    `error[CONFIG_INVALID] cairn-build does not export "composed"
  at ~/flake-like.config.ts:6:42
  next: Did you mean compose? It exports `,
  ],
  [
    'an import of the other module',
    { [config]: flake('{ all: shellTree(pins) }').replace('compose,', 'shellTree,') },
    2,
    `error[CONFIG_INVALID] cairn-build does not export "shellTree"
  at ~/flake-like.config.ts:6:42
  next: Write import { shellTree } from 'cairn-build/derivations'.`,
  ],
  [
    'a misspelt file',
    {
      [config]: `import { greeting } from './greting.ts';\n${flake('{ all: greeting }')}`,
      'greeting.ts': 'export const greeting = 1;\n',
    },
    2,
    `error[CONFIG_INVALID] "./greting.ts" cannot be found from ~/flake-like.config.ts
  at ~/flake-like.config.ts:1:1
  next: Did you mean greeting.ts? There is no file ~/greting.ts.`,
  ],
  [
    'a name that a file does not export',
    {
      [config]: `import { greting } from './greeting.ts';\n${flake('{ all: greting }')}`,
      'greeting.ts': 'export const greeting = 1;\n',
    },
    2,
    `error[CONFIG_INVALID] ~/greeting.ts does not export "greting"
  at ~/flake-like.config.ts:7:42
  next: Did you mean greeting? It exports greeting.`,
  ],
  [
    'JSON that is JavaScript',
    {
      [config]: `import facts from './facts.json';\n${flake('{ all: facts.version }')}`,
      'facts.json': "{\n  version: '1',\n}\n",
    },
    2,
    `error[CONFIG_INVALID] ~/facts.json is not JSON: expected a member name in quotes, found "v"
  at ~/facts.json:2
  next: Mend it: names and texts in double quotes, no comment, no comma after the last. Name it otherwise if it is to be read as text.`,
  ],
  [
    'TOML taken for an object',
    {
      [config]: `import facts from './facts.toml';\n${flake('{ all: facts.package.version }')}`,
      'facts.toml': "[package]\nversion = '1'\n",
    },
    2,
    `error[CONFIG_INVALID] the config failed: TypeError: Cannot read properties of undefined (reading 'version')
  at ~/flake-like.config.ts:7:56
  next: What stands before "version" there has no value: look at how that is written, and what it is. For the rest, an editor with TypeScript shows most mistakes as they are made.`,
  ],
  [
    'a file read by hand',
    { [config]: `import { readFileSync } from 'node:fs';\n${flake("{ all: readFileSync('version') }")}` },
    2,
    `error[CONFIG_IMPURE] The module "node:fs" is not there when a config is evaluated
  at ~/flake-like.config.ts:1:1
  next: Import a file's text: import text from './file.txt'. For a whole folder use localFolder().`,
  ],
  [
    'a variable of the environment',
    { [config]: flake('{ all: process.env.HOME }') },
    2,
    `error[CONFIG_IMPURE] "process" is not there when a config is evaluated
  at ~/flake-like.config.ts:6:42
  next: Name the variable in \`environment: […]\` and read it from the \`env\` that outputs is given.`,
  ],
  [
    'a misspelt field of the flake',
    { [config]: flake('{ hello }', 'input: {},') },
    2,
    `error[CONFIG_INVALID] a flake has no field "input"
  at ~/flake-like.config.ts:3:27
  next: Did you mean inputs? Its fields are description, inputs, targets, mirrors, caches, trust, executor, waivers, environment, sandbox, outputs.`,
  ],
  [
    "another system's name for a target",
    { [config]: flake('{ hello }', "targets: ['arm64'],") },
    2,
    `error[CONFIG_INVALID] "arm64" is not a target
  at ~/flake-like.config.ts:3:27
  next: Did you mean aarch64-linux? Targets are aarch64-linux and x86_64-linux.`,
  ],
  [
    'a target that is not in a list',
    { [config]: flake('{ hello }', "targets: 'aarch64-linux',") },
    2,
    `error[CONFIG_INVALID] targets must be a list, not "aarch64-linux"
  at ~/flake-like.config.ts:3:27
  next: Write targets: ['aarch64-linux'].`,
  ],
  [
    'inputs as a list',
    { [config]: flake('{ hello }', "inputs: [{ kind: 'url', urls: ['https://example.org/tool.tar.gz'] }],") },
    2,
    `error[CONFIG_INVALID] inputs must be an object of inputs by name, not a list
  at ~/flake-like.config.ts:3:27
  next: Write inputs: { sandbox: inputs.sandbox }.`,
  ],
  [
    'an input that is a URL alone',
    { [config]: flake('{ hello }', "inputs: { tool: 'https://example.org/tool.tar.gz' },") },
    2,
    `error[CONFIG_INVALID] inputs.tool: it must be an object that says of which kind it is, not "https://example.org/tool.tar.gz"
  at ~/flake-like.config.ts:5:13
  next: Write for example tool: ${examples}.`,
  ],
  [
    'an input of a kind that there is not',
    { [config]: flake('{ hello }', "inputs: { tool: { kind: 'urls', urls: ['https://example.org/t'] } },") },
    2,
    `error[CONFIG_INVALID] inputs.tool.kind: Invalid type: Expected ("debian-source" | "debian-packages" | "url" | "local") but received "urls"
  at ~/flake-like.config.ts:5:21
  next: Did you mean url? Write for example tool: ${examples}.`,
  ],
  [
    'a field of an input that there is not',
    { [config]: flake('{ hello }', "inputs: { tool: { kind: 'url', url: 'https://example.org/t' } },") },
    2,
    `error[CONFIG_INVALID] inputs.tool.url: there is no field "url"
  at ~/flake-like.config.ts:5:13
  next: Write for example { kind: 'url', urls: ['https://…'] }.`,
  ],
  [
    'a misspelt pin',
    { [config]: flake('{ tool: unpackPin(pins.tol[0]) }', toolInput), 'flake-like.lock': toolPin },
    2,
    `error[INPUT_UNKNOWN] the flake has no input "tol"
  at ~/flake-like.config.ts:6:58
  next: Did you mean tool? Declare it in the flake's inputs; those of cairn are \`inputs\` of "cairn-build/derivations".`,
  ],
  [
    'no lock file',
    { [config]: flake('{ tool: unpackPin(pins.tool[0]) }', toolInput) },
    2,
    `error[LOCK_MISSING_PIN] input "tool" is not in the lock file
  at ~/flake-like.config.ts:5:13
  next: Run \`cairn lock tool\` and review what it writes to flake-like.lock.`,
  ],
  [
    'an input that is called as what is imported',
    {
      [config]: `import { tool } from './tool.ts';\n${flake('{ tool: unpackPin(pins.tool[0]) }', 'inputs: { tool },')}`,
      'tool.ts': "export const tool = { kind: 'url', urls: ['https://example.org/tool.tar.gz'] } as const;\n",
    },
    2,
    `error[LOCK_MISSING_PIN] input "tool" is not in the lock file
  at ~/flake-like.config.ts:6:13
  next: Run \`cairn lock tool\` and review what it writes to flake-like.lock.`,
  ],
  [
    'a lock file with the marks of a merge',
    {
      [config]: flake('{ tool: unpackPin(pins.tool[0]) }', toolInput),
      'flake-like.lock': '{\n<<<<<<< HEAD\n  "version": 1\n}\n',
    },
    2,
    `error[LOCK_INVALID] the lock file is not valid: expected a member name in quotes, found "<"
  at ~/flake-like.lock:2
  next: Take the file from version control again, or mend that line.`,
  ],
  [
    'all pins of an input in place of one',
    { [config]: flake('{ tool: unpackPin(pins.tool) }', toolInput), 'flake-like.lock': toolPin },
    2,
    `error[DERIVATION_INVALID] unpackPin takes one pin, not the list of them that an input has
  at ~/flake-like.config.ts:6:52
  next: Write unpackPin(pins.NAME[0]): an input that is one download has one pin.`,
  ],
  [
    'a pin after the last one',
    { [config]: flake('{ tool: unpackPin(pins.tool[1]) }', toolInput), 'flake-like.lock': toolPin },
    2,
    `error[DERIVATION_INVALID] unpackPin takes a pin, not undefined
  at ~/flake-like.config.ts:6:52
  next: Write unpackPin(pins.NAME[0]), NAME being one of the flake's inputs: one that is one download has one pin.`,
  ],
  [
    'a hash of another form',
    {
      [config]: flake(
        "{ tool: fetchUrl({ name: 'tool', urls: ['https://example.org/t'], sha256: 'sha256-abc=' }) }",
      ),
    },
    2,
    `error[DERIVATION_INVALID] tool: sha256 must be 64 lower-case hex digits, not "sha256-abc="
  at ~/flake-like.config.ts:6:51
  next: Take it from \`sha256sum FILE\`.`,
  ],
  [
    'a misspelt field of a step',
    { [config]: runs("args: ['/bin/sh']") },
    2,
    `error[DERIVATION_INVALID] run has no field "args"
  at ~/flake-like.config.ts:6:45
  next: Did you mean argv? Its fields are name, description, platform, target, layers, inputs, env, argv, outputs, mayBeEmpty, limits, incremental, compileCache, remote.`,
  ],
  [
    'a command as one text',
    { [config]: runs("argv: '/bin/sh build.sh'") },
    2,
    `error[DERIVATION_INVALID] app: argv must be a list of strings, not "/bin/sh build.sh"
  at ~/flake-like.config.ts:6:45
  next: Write argv: ['…'].`,
  ],
  [
    'no layers',
    { [config]: flake("{ app: run({ name: 'app', argv: ['/bin/sh'] }) }") },
    2,
    `error[DERIVATION_INVALID] app: layers must be a list of trees, not undefined
  at ~/flake-like.config.ts:6:45
  next: Write layers: [shell]: its root is these, one upon the other. [] is a root with nothing in it.`,
  ],
  [
    "a folder's path as an input",
    { [config]: runs("inputs: { '/source': './source' }, argv: ['/bin/sh']") },
    2,
    `error[DERIVATION_INVALID] app: input "/source" is not a derivation, but "./source"
  at ~/flake-like.config.ts:6:45
  next: A folder of yours is localFolder({ name, path }), a text is write({ name, files }).`,
  ],
  [
    'a relative place for an input',
    { [config]: runs("inputs: { source: hello }, argv: ['/bin/sh']") },
    2,
    `error[DERIVATION_INVALID] app: input path "source" must be absolute
  at ~/flake-like.config.ts:6:45
  next: It is the place where the step finds it: write "/source".`,
  ],
  [
    'an absolute path in an output',
    { [config]: flake("{ motd: write({ name: 'motd', files: { '/etc/motd': 'Hi.' } }) }") },
    2,
    `error[DERIVATION_INVALID] motd: "/etc/motd" is not a path inside a tree
  at ~/flake-like.config.ts:6:48
  next: Write it relative, without "." or ".." parts: "etc/motd".`,
  ],
  [
    'a number in a file',
    { [config]: flake("{ motd: write({ name: 'motd', files: { version: 1 } }) }") },
    2,
    `error[DERIVATION_INVALID] motd: files["version"] must be text or an object, not 1
  at ~/flake-like.config.ts:6:48
  next: Write it in quotes, or as an object with text, bytes, symlink, executable.`,
  ],
  [
    'an output that a step does not have',
    { [config]: flake("{ all: compose({ name: 'all', parts: [from(hello, { output: 'dev' })] }) }") },
    2,
    `error[DERIVATION_INVALID] from: hello has no output "dev"
  at ~/flake-like.config.ts:6:77
  next: It has out.`,
  ],
  [
    'a function in place of what it returns',
    { [config]: flake('{ app: () => hello }') },
    2,
    `error[CONFIG_INVALID] outputs.app: it is not a derivation, but a function
  at ~/flake-like.config.ts:6:37
  next: Call it: app: app(…).`,
  ],
  [
    'outputs below a name',
    { [config]: flake('{ tools: { hello } }') },
    2,
    `error[CONFIG_INVALID] outputs.tools: it is not a derivation, but an object with hello
  at ~/flake-like.config.ts:6:37
  next: Each output has one name: spread it, ...tools, if it is outputs by name.`,
  ],
  [
    'outputs that return nothing',
    { [config]: flake('undefined') },
    2,
    `error[CONFIG_INVALID] outputs: it must return an object of derivations by name, not undefined
  at ~/flake-like.config.ts:6:3
  next: End it with return { default: step }.`,
  ],
  [
    'a step in place of outputs by name',
    { [config]: flake('hello') },
    2,
    `error[CONFIG_INVALID] outputs: it must return an object of derivations by name, not hello itself
  at ~/flake-like.config.ts:6:3
  next: Give it a name: return { default: step }.`,
  ],
  [
    'a space in the name of an output',
    { [config]: flake("{ 'my app': hello }") },
    2,
    `error[CONFIG_INVALID] outputs.my app: a name has letters, digits and + . _ - and starts with a letter or digit
  at ~/flake-like.config.ts:6:37
  next: Call it "my-app", for example: it is what \`cairn build\` is given.`,
  ],
  [
    'a step without a name',
    { [config]: flake("{ all: localFolder({ path: './source' }) }") },
    2,
    `error[DERIVATION_INVALID] localFolder has no name
  at ~/flake-like.config.ts:6:53
  next: Write name: 'mine', for example: messages and logs call it that.`,
  ],
  [
    'fields of a step one after the other',
    { [config]: flake("{ motd: write('motd', { 'etc/motd': 'Hi.' }) }") },
    2,
    `error[DERIVATION_INVALID] write takes one object, not "motd"
  at ~/flake-like.config.ts:6:48
  next: Write write({ name, description, files … }): its fields are name, description, files.`,
  ],
  [
    'a part of a tree under another name',
    { [config]: flake("{ all: compose({ name: 'all', parts: [{ tree: hello, at: 'usr' }] }) }") },
    2,
    `error[DERIVATION_INVALID] all: parts[0] is not a derivation, but an object with tree, at
  at ~/flake-like.config.ts:6:49
  next: Write { input: step, at: 'usr' }, for example, for a part with a place of its own, and the step alone for one without.`,
  ],
  [
    'a step used above where it is made',
    {
      [config]: flake('{ app }').replace(
        'const hello',
        "const app = compose({ name: 'app', parts: [hello] });\nconst hello",
      ),
    },
    2,
    `error[CONFIG_INVALID] "hello" is used before the line that makes it
  at ~/flake-like.config.ts:2:44
  next: Move that line further up. Steps that need each other cannot be made in any order: take one of the needs out.`,
  ],
  [
    'functions that need each other',
    {
      [config]:
        `${flake('{ app: app() }')}
const app = () => compose({ name: 'app', parts: [library()] });
const library = () => compose({ name: 'library', parts: [app()] });
`.replace('export default', 'const mine =') + 'export default mine;\n',
    },
    2,
    `error[GRAPH_CYCLE] functions of the config call each other without an end: `,
  ],
  [
    'a folder that is not there',
    {
      [config]: flake("{ all: localFolder({ name: 'source', path: './sorce' }) }"),
      'source/main.c': 'int main(void) { return 0; }\n',
    },
    2,
    `error[SOURCE_MISSING] the folder ~/sorce is not there
  at ~/flake-like.config.ts:6:53
  next: Did you mean source? Make it, or mend its path: what is relative starts from the config's folder.`,
  ],
  [
    'a file where a folder is meant',
    {
      [config]: flake("{ all: localFolder({ name: 'source', path: './main.c' }) }"),
      'main.c': 'int main(void) { return 0; }\n',
    },
    2,
    `error[SOURCE_MISSING] ~/main.c is not a folder
  at ~/flake-like.config.ts:6:53
  next: Name a folder; a single file can be written into the config.`,
  ],
  [
    'a change to a package that there is not',
    {
      [config]: `import { createPackages } from 'cairn-build/derivations';\n${flake('createPackages({ pins, target, overrides: { zlibb: (card) => card } })')}`,
    },
    2,
    `error[DERIVATION_INVALID] overrides: there is no package "zlibb"
  at ~/flake-like.config.ts:7:49
  next: Did you mean zlib? There is: `,
  ],
];

describe('a mistake in a config is told with its place and the next step:', () => {
  it.each(inConfigs)('%s', async (_, files, status, printed) => {
    const { folder, failure } = await configProject(files);
    const error = await failure();
    expect(exitCodeOf(error)).toBe(status);
    const { code, message, where, hint } = error;
    const lines = errorLines({ code, message, where, hint }, uncoloured);
    expect(lines.join('\n').replaceAll(folder, '~').slice(0, printed.length)).toBe(printed);
    expect(lines.at(-1)).toMatch(/^ {2}next: .*[.?]$/s);
  });
});

const two = flake("{ hello, other: write({ name: 'other', files: {} }) }");

/** What was typed where, and what is printed. */
const inCommands: readonly (readonly [
  mistake: string,
  files: Files,
  typed: readonly string[],
  status: number,
  printed: string,
])[] = [
  [
    'a misspelt command',
    {},
    ['bulid'],
    2,
    `error[USAGE] unknown command 'bulid'
  next: Did you mean build?`,
  ],
  [
    'help on a misspelt command',
    {},
    ['help', 'bulid'],
    2,
    `error[USAGE] unknown command 'bulid'
  next: Did you mean build?`,
  ],
  [
    "a command of others' tools",
    {},
    ['install', 'hello'],
    2,
    `error[USAGE] unknown command 'install'
  next: See \`cairn --help\`: it lists the commands.`,
  ],
  [
    'a misspelt option',
    {},
    ['build', '--offlin'],
    2,
    `error[USAGE] unknown option '--offlin'
  next: Did you mean --offline?`,
  ],
  [
    'an option without what it takes',
    {},
    ['build', '--jobs'],
    2,
    `error[USAGE] option '-j, --jobs <count>' argument missing
  next: See \`cairn build --help\`.`,
  ],
  [
    'no target where one is needed',
    {},
    ['why'],
    2,
    `error[USAGE] missing required argument 'output'
  next: See \`cairn why --help\`.`,
  ],
  [
    'an example that there is not',
    {},
    ['init', '--example', 'imge'],
    2,
    `error[USAGE] option '-e, --example <name>' argument 'imge' is invalid. Allowed choices are `,
  ],
  [
    'an example without its option',
    {},
    ['init', 'image'],
    2,
    `error[USAGE] "image" is an example, and here it names the folder of another one
  next: Write cairn init --example image, or cairn init --example start image for that folder.`,
  ],
  [
    'a new project where there is one',
    { [config]: two },
    ['init'],
    2,
    `error[FILE_EXISTS] ~ already has flake-like.config.ts
  next: Nothing was changed. Name another folder: cairn init FOLDER.`,
  ],
  [
    'no project here',
    {},
    ['build'],
    2,
    `error[CONFIG_MISSING] there is no flake-like.config.ts in ~ or above it
  next: Go to a project that has one, name one with --config FILE, or begin one: \`cairn init\`.`,
  ],
  [
    'a config in another language',
    { 'flake-like.config.json': '{}' },
    ['build'],
    2,
    `error[CONFIG_MISSING] there is no flake-like.config.ts in ~ or above it
  next: There is flake-like.config.json: a config is a TypeScript module called flake-like.config.ts.`,
  ],
  [
    'a folder named as a config',
    { [`sub/${config}`]: two },
    ['build', '--config', 'sub'],
    2,
    `error[CONFIG_MISSING] there is no config file ~/sub
  next: That is a folder: name ~/sub/flake-like.config.ts.`,
  ],
  [
    'a misspelt target',
    { [config]: two },
    ['build', 'helo'],
    2,
    `error[TARGET_UNKNOWN] the config has no output "helo" for x86_64-linux or aarch64-linux
  next: Did you mean hello? There is: hello, other.`,
  ],
  [
    'no target where several could be meant',
    { [config]: two },
    ['build'],
    2,
    `error[USAGE] say what to build
  next: This flake has hello, other. \`cairn list\` describes them.`,
  ],
  [
    'a flake without outputs',
    { [config]: flake('{}') },
    ['build'],
    2,
    `error[USAGE] there is nothing to build: ~/flake-like.config.ts has no outputs
  next: Have its outputs return at least one: outputs: () => ({ default: step }).`,
  ],
  [
    'a look into what is not built',
    { [config]: two },
    ['ls', 'hello'],
    1,
    `error[PATH_NOT_FOUND] hello@x86_64-linux is not built as it is described now
  next: Build it: cairn build hello@x86_64-linux`,
  ],
  [
    'an option for a program, which cairn takes for its own',
    { [config]: two },
    ['exec', 'hello', 'hello', '--version'],
    2,
    `error[USAGE] --version would be asked of cairn, and not of the program
  next: Write -- in front of the program: cairn exec OUTPUT -- PROGRAM …`,
  ],
  [
    'an override of no input',
    { [config]: two, 'source/a': '' },
    ['build', 'hello', '--override', 'tool=source'],
    2,
    `error[INPUT_UNKNOWN] the flake has no input "tool" to override
  next: There is: none.`,
  ],
  [
    'a link where nobody can make a folder',
    { [config]: two },
    ['build', 'hello', '-o', '/proc/none/result'],
    2,
    `error[USAGE] /proc/none/result cannot be written: ENOENT: no such file or directory, mkdir '/proc/none'
  next: Name another place, or look at the permissions of that one.`,
  ],
  [
    'a new project where nobody can make a folder',
    {},
    ['init', '/proc/none'],
    2,
    `error[USAGE] /proc/none cannot be written: ENOENT: no such file or directory, mkdir '/proc/none'
  next: Name another place, or look at the permissions of that one.`,
  ],
  [
    'a link in the place of a folder',
    { [config]: two, 'result/a': '' },
    ['build', 'hello', '-o', 'result'],
    2,
    `error[USAGE] ~/result is there already, and is not a link that cairn made
  next: Name another path for --out-link, or move that away.`,
  ],
];

describe('a mistake in a command is told with the next step:', () => {
  it.each(inCommands)('%s', async (_, files, typed, status, printed) => {
    const folder = projectWith(files);
    const ended = await testProject().startIn(folder, ...typed).ended;
    const { stderr } = ended;
    expect({ status: ended.status, stdout: ended.stdout }).toEqual({ status, stdout: '' });
    expect(stderr.replaceAll(folder, '~').slice(0, printed.length)).toBe(printed);
    expect(stderr).toMatch(/^ {2}next: .+\n$/m);
  });
});

function projectWith(files: Files): string {
  const folder = tempFolder('mistake');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** Outputs each of which fails by a mistake, with the end of what is printed of it. */
const inSteps = [
  [
    'a hash that is not the file’s',
    "fetchUrl({ name: 'tool', urls: [toolUrl], sha256: '0'.repeat(64) })",
    'FETCH_HASH_MISMATCH',
    /Or the hash in the config is not its own: look at the file, and if it is what you want, write sha256: '[0-9a-f]{64}'\.$/,
  ],
  [
    'more folders left out than there are',
    'unpack({ name: "source", archive: toolFile, strip: 3 })',
    'DERIVATION_INVALID',
    /would lose its whole name to strip: 3 .*Leave strip out: .* Or say strip: 0\.$/,
  ],
  [
    'two files of one name',
    "compose({ name: 'both', parts: [text('one'), text('two')] })",
    'COMPOSE_CONFLICT',
    /Leave it out of one of them with exclude: \['file'\], or state the order with conflicts: 'later-wins'\.$/,
  ],
  [
    'a path that is not in an output',
    "compose({ name: 'part', parts: [from(programs, { subpath: 'bin/gcc' })] })",
    'PATH_NOT_FOUND',
    /has no "bin\/gcc" in output out .*It has "bin", and no "gcc" there\. `cairn ls OUTPUT` shows what is in an output\.$/,
  ],
  [
    'nothing in $out',
    "command('nothing', 'echo 1 > result')",
    'BUILD_BAD_OUTPUT',
    /left nothing in its output out; elsewhere it wrote \/build\/result .*Put files into \$out, /,
  ],
  [
    'a program that no layer has',
    "command('compiled', 'gcc main.c')",
    'BUILD_EXIT',
    /gcc: not found .*A program was not found: a step has those of its layers and inputs, and none of this machine\./,
  ],
  [
    'a command that no layer has',
    "run({ name: 'absent', layers: [shell], argv: ['/usr/bin/python3'] })",
    'BUILD_INPUT',
    /Give the step a layer or an input that has \/usr\/bin\/python3, and whatever reads it, if it is a script: /,
  ],
  [
    'a file in the place of $out',
    "command('outfile', 'echo 1 > $out')",
    'BUILD_EXIT',
    /Is a directory .*\$out is a folder that is there: put files into it, such as \$out\/bin\/hello\./,
  ],
  [
    'something written among the inputs',
    "run({ name: 'written', layers: [shell], inputs: { '/source': text('a') }, argv: ['/bin/sh', '-c', 'echo 1 > /source/b'] })",
    'BUILD_EXIT',
    /What a step is given is read-only: copy it first, /,
  ],
  [
    'lines that end as on Windows',
    "command('windows', 'set -e\\r\\necho 1 > $out/1\\r\\n')",
    'BUILD_EXIT',
    /If the script's lines end as on Windows \(CR LF\), /,
  ],
  [
    'a command as one word',
    "run({ name: 'oneword', layers: [shell], argv: ['/bin/sh -c true'] })",
    'BUILD_INPUT',
    /argv has each word on its own: \['\/bin\/sh', '-c', 'true'\]\./,
  ],
  [
    'a script that may not be started',
    "run({ name: 'script', layers: [shell], inputs: { '/source': text('#!/bin/sh') }, argv: ['/source/file'] })",
    'BUILD_INPUT',
    /Make \/source\/file executable \(chmod \+x\), or name what reads it first: \['\/bin\/sh', '\/source\/file'\]\./,
  ],
  [
    'a command in a root with nothing in it',
    "run({ name: 'bare', layers: [], argv: ['/bin/sh', '-c', 'echo 1 > $out/1'] })",
    'BUILD_INPUT',
    /Give the step a layer or an input that has \/bin\/sh, /,
  ],
] as const;

describe('a mistake that shows when a step is done is told with what to do about it:', () => {
  // One build has all of them: what each is told of is that of a build of its own.
  it('each of them', async () => {
    const folder = tempFolder('archive');
    mkdirSync(join(folder, 'tool-1.0'));
    writeFileSync(join(folder, 'tool-1.0/main.c'), '');
    const archive = join(folder, 'tool.tar');
    execFileSync('tar', ['-cf', archive, '-C', folder, 'tool-1.0']);
    const sha256 = execFileSync('sha256sum', [archive], { encoding: 'utf8' }).slice(0, 64);
    const made = inSteps.map(([, step], at) => `mistake${at}: ${step}`).join(',\n');
    const flake = busyboxFlake(`{ ${made} }`);
    const more = `const toolUrl = 'file://${archive}';
const toolFile = fetchUrl({ name: 'tool.tar', urls: [toolUrl], sha256: '${sha256}' });
const programs = write({ name: 'programs', files: { 'bin/sh': '' } });
const text = (text: string) => write({ name: 'text', files: { file: text } });
export default`;
    const project = cairnProject({ ...flake, [config]: flake[config]!.replace('export default', more) });
    const outputs = inSteps.map((_, at) => `mistake${at}`);
    const { status, stderr } = await project.run(['build', '--keep-going', ...outputs]);
    expect(status).toBe(1);
    const blocks = stderr.split('\n\n').filter((block) => /^failed .* after /.test(block));
    const told = blocks.map((block) =>
      block
        .split('\n')
        .map((line) => line.trim())
        .join(' '),
    );
    for (const [mistake, , code, printed] of inSteps) {
      const found = told.filter((block) => printed.test(block.replace(/ \d+ failed in .*$/, '')));
      expect(found, mistake).toEqual([expect.stringContaining(`[${code}]`)]);
      expect(found[0], mistake).toMatch(/described at: \S+flake-like\.config\.ts:\d+:\d+ .*next: /);
    }
    expect(told).toHaveLength(inSteps.length);
  });

  it('no sandbox to run it in', async () => {
    const text =
      "import { defineFlake, run } from 'cairn-build';\nexport default defineFlake({ description: 'mine', outputs: () => ({ app: run({ name: 'app', layers: [], argv: ['/bin/sh'] }) }) });\n";
    const project = testProject('', { PATH: '/nowhere' });
    writeFileSync(join(project.folder, config), text);
    const { status, stderr } = await project.run('build');
    expect(status).toBe(1);
    expect(stderr).toContain('[SANDBOX_UNAVAILABLE]');
    expect(stderr).toContain(
      'next: Give the flake sandbox: ({ pins }) => sandboxTool(pins), and inputs: { sandbox: inputs.sandbox }, both of "cairn-build/derivations". Or install bubblewrap.',
    );
  });
});
