// A machine that lets a process open few files: a build succeeds, or says what it needs. It never hangs.

import { expect, test } from 'vitest';
import { busyboxFlake, cairnProject } from '../support/cairn-project.ts';

const names = Array.from({ length: 12 }, (_, at) => `many${at}`);
const manyFiles = 'i=0; while [ $i -lt 300 ]; do echo $i > $out/$i; i=$((i+1)); done';
const outputs = `{ ${names.map((name) => `${name}: command('${name}', '${manyFiles}')`).join(', ')} }`;

const allowing = (files: number): readonly string[] => ['sh', '-c', `ulimit -n ${files}; exec "$@"`, 'sh'];

test('a build of many files at once does with 256', async () => {
  const project = cairnProject(busyboxFlake(outputs));
  const ran = await project.run(['build', ...names, '-j', '4'], { through: allowing(256) });
  expect(ran.status, ran.stderr).toBe(0);
});

test.each([32, 48, 72, 110])('with %i it succeeds, or says that it needs more', async (files) => {
  const project = cairnProject(busyboxFlake(outputs));
  const { status, stderr } = await project.run(['build', ...names, '-j', '4'], { through: allowing(files) });
  if (status === 0) return;
  expect(stderr).toContain(
    'error[ENVIRONMENT_UNSUPPORTED] this process may not open as many files as it needs',
  );
  expect(status).toBe(1);
});
