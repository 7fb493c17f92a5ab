// Which licences Debian's packages are under, read out of copyright files as packages have them, with the seed's python3, and told
// in the words of SPDX.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { isSpdxExpression } from '../../derivations/images/spdx.ts';
import { licencesProgram } from '../../derivations/system/programs/index.ts';
import { pythonFixture, type PythonFixture } from '../support/python-tools.ts';
import { scriptRequest, textOf, treeOf } from '../support/sandbox-run.ts';

let fixture: PythonFixture;

beforeAll(async () => {
  fixture = await pythonFixture();
});
afterAll(() => fixture.close());

const format = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n';

const stanza = (licence: string): string => `${format}\nFiles: *\nLicense: ${licence}\n`;

const cases = {
  none: [undefined, 'NOASSERTION'],
  silent: ['All rights reserved.\n', 'NOASSERTION'],
  readable: [
    `${stanza('GPL-2+ or Artistic')}\nFiles: debian/*\nLicense: Expat\n`,
    '(GPL-2.0-or-later OR Artistic-1.0-Perl) AND MIT',
  ],
  twice: [`${stanza('Expat')}\nFiles: x\nLicense: MIT/X11\n`, 'MIT'],
  'closer-and': [
    stanza('BSD-3-clause and GPL-1+, or MPL-2.0'),
    '((BSD-3-Clause AND GPL-1.0-or-later) OR MPL-2.0)',
  ],
  bison: [stanza('GPL-3+ with Bison exception'), 'GPL-3.0-or-later WITH Bison-exception-2.2'],
  openssl: [stanza('GPL-2+ with OpenSSL exception'), 'LicenseRef-GPL-2-with-OpenSSL-exception'],
  domain: [stanza('public-domain'), 'LicenseRef-public-domain'],
  manual: [stanza('GFDL-NIV-1.3+'), 'GFDL-1.3-no-invariants-or-later'],
  older: [stanza('LGPL-2.0'), 'LGPL-2.0-only'],
  unheard: [stanza('GPL-2.1'), 'LicenseRef-GPL-2.1'],
  common: ['On Debian systems, see /usr/share/common-licenses/LGPL-2.1.\n', 'LGPL-2.1-only'],
  later: [
    'either version 2, or (at your option) any\n * later version: /usr/share/common-licenses/GPL-2\n',
    'GPL-2.0-or-later',
  ],
  any: ['On Debian systems, see /usr/share/common-licenses/GPL.\n', 'GPL-1.0-or-later'],
  expat: [
    'Permission is hereby granted, free of charge, to any person\n obtaining a copy of this software\n',
    'MIT',
  ],
  both: [
    'PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2\n\nParts: /usr/share/common-licenses/GPL-2\n',
    'GPL-2.0-only AND PSF-2.0',
  ],
  two: ['* Redistribution and use in source and binary\n * forms, with or without\n', 'BSD-2-Clause'],
  three: [
    'Redistribution and use in source and binary forms\nmay not be used to endorse or promote\n products\n',
    'BSD-3-Clause',
  ],
} as const;

test('what is said of licences is an expression of SPDX, or that nothing is known', () => {
  const expressions = Object.values(cases).map(([, licence]): string => licence);
  expect(expressions.filter((one) => one !== 'NOASSERTION' && !isSpdxExpression(one))).toEqual([]);
  const [, table = ''] = /OF_SPDX = \{(.*?)\n\}/s.exec(licencesProgram) ?? [];
  const ids = [...table.matchAll(/: '([^']+)'/g)].map(([, id]) => id!);
  expect(ids.length).toBeGreaterThan(40);
  expect(ids.filter((id) => !isSpdxExpression(id))).toEqual([]);
});

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
