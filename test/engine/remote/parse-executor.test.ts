import { expect, test } from 'vitest';
import { parseExecutor } from '../../../engine/remote/parse-executor.ts';
import { remote } from '../../../engine/model/index.ts';
import { actionOf } from '../../../store/reapi/index.ts';
import { digestOf } from '../../../store/base/digest.ts';

test('a command line says what a config can say', () => {
  const said = parseExecutor(
    'grpcs://build.example:443/main/a?slots=32&jobs=4&root=chroot&property=OSFamily=linux&property=a=b=c&shared',
  );
  expect(said).toEqual(
    remote({
      endpoint: 'grpcs://build.example:443',
      instance: 'main/a',
      properties: { OSFamily: 'linux', a: 'b=c' },
      ...{ slots: 32, jobs: 4, root: 'chroot', shared: true },
    }),
  );
  expect(parseExecutor('grpc+unix:///run/casd.sock?instance=main')).toEqual(
    remote({ endpoint: 'grpc+unix:///run/casd.sock', instance: 'main' }),
  );
});

test.each([
  ['build.example', 'it is not a URL'],
  ['https://build.example', 'https: is none of grpc:, grpcs: and grpc+unix:'],
  ['grpcs://me:secret@build.example', 'a user or password in a URL is seen by everybody who lists processes'],
  ['grpc://build.example?slot=1', 'nothing of it is called "slot"'],
  ['grpc://build.example?slots=none', 'slots must be a whole number'],
  ['grpc://build.example?slots=0', 'slots must be at least 1'],
  ['grpc://build.example?root=other', 'root cannot be "other"'],
  ['grpc://build.example?property=linux', 'a property is written property=NAME=VALUE'],
])('%s is refused: %s', (text, problem) => {
  let refusal: unknown;
  try {
    parseExecutor(text);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toMatchObject({
    code: 'EXECUTOR_INVALID',
    message: expect.stringContaining(problem) as string,
  });
  expect(String(refusal)).not.toContain('secret');
});

test('properties of a worker are the same in any order', () => {
  const action = (properties: Readonly<Record<string, string>>): string =>
    actionOf({
      argv: ['a'],
      inputRoot: digestOf(new Uint8Array(0)),
      outputs: [],
      properties,
      timeoutSeconds: 1.5,
    }).digest;
  expect(action({ b: '1', a: '2' })).toBe(action({ a: '2', b: '1' }));
  expect(action({ b: '1', a: '2' })).not.toBe(action({ a: '1', b: '2' }));
});
