// Which licences Debian's packages are under, read out of copyright files as packages have them, with the seed's python3.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { licencesProgram } from '../../derivations/system/programs/index.ts';
import { pythonFixture, type PythonFixture } from '../support/python-tools.ts';
import { scriptRequest, textOf, treeOf } from '../support/sandbox-run.ts';

let fixture: PythonFixture;

beforeAll(async () => {
  fixture = await pythonFixture();
});
afterAll(() => fixture.close());

const format = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n';

const cases = {
  none: [undefined, 'NOASSERTION'],
  silent: ['All rights reserved.\n', 'NOASSERTION'],
  readable: [
    `${format}\nFiles: *\nLicense: GPL-2+ or Artistic\n\nFiles: debian/*\nLicense: Expat\n`,
    '(GPL-2+ or Artistic) AND Expat',
  ],
  common: ['On Debian systems, see /usr/share/common-licenses/LGPL-2.1.\n', 'LGPL-2.1'],
  expat: [
    'Permission is hereby granted, free of charge, to any person\n obtaining a copy of this software\n',
    'Expat',
  ],
  both: [
    'PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2\n\nParts: /usr/share/common-licenses/GPL-2\n',
    'GPL-2 AND PSF-2',
  ],
  two: ['* Redistribution and use in source and binary\n * forms, with or without\n', 'BSD-2-clause'],
  three: [
    'Redistribution and use in source and binary forms\nmay not be used to endorse or promote\n products\n',
    'BSD-3-clause',
  ],
} as const;

test('licences are those that a copyright file names or has in full', async () => {
  const texts = Object.entries(cases).flatMap(([name, [copyright]]) =>
    copyright === undefined ? [] : [[name, { copyright }] as const],
  );
  const packages = await treeOf(fixture.store, { usr: { share: { doc: Object.fromEntries(texts) } } });
  const program = await treeOf(fixture.store, { 'program.py': licencesProgram });
  const script = `python3 /program/program.py ${Object.keys(cases).join(' ')} && cat $out/licences.json`;
  const request = scriptRequest(fixture, script, {
    layers: [fixture.root, fixture.tools.digest],
    inputs: [
      { path: '/packages', node: packages },
      { path: '/program', node: program },
    ],
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  });
  expect(JSON.parse(await textOf(fixture.executor, request))).toEqual(
    Object.fromEntries(Object.entries(cases).map(([name, [, licence]]) => [name, licence])),
  );
});
