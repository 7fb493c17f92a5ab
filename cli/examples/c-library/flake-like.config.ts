// A C library of one's own and a program that is linked with it. Both are made of folders here. The library has two outputs:
// `greeting` is what the program needs to run, `greeting-dev` what a compiler needs. `cairn exec default -- greet` runs it.

import { defineFlake, localFolder } from 'cairn-build';
import { createPackageSet, definePackage, inputs, sandboxTool, script } from 'cairn-build/derivations';

const ours = { licence: 'MIT', homepage: 'https://example.org/' };

const greeting = definePackage({
  ...ours,
  name: 'greeting',
  description: 'a library that greets',
  source: localFolder({ name: 'greeting-source', path: './library' }),
  build: script('make\nmake install DESTDIR="$out" libdir="/usr/lib/$target"'),
  gives: {
    outputs: ['out', 'dev'],
    files: ['usr/lib/$target/libgreeting.so.1', 'usr/include/greeting.h', 'usr/lib/$target/libgreeting.so'],
    runs: [],
  },
});

const greet = definePackage({
  ...ours,
  name: 'greet',
  description: 'a program that asks for a name and greets',
  source: localFolder({ name: 'greet-source', path: './program' }),
  needs: { libraries: ['greeting'] },
  build: script('make\nmake install DESTDIR="$out"'),
  gives: { files: ['usr/bin/greet'], runs: [['/usr/bin/greet']] },
});

export default defineFlake({
  description: 'a library of my own, and a program',
  inputs,
  sandbox: ({ pins }) => sandboxTool(pins),
  outputs: ({ pins, target }) => {
    const packages = createPackageSet({ greeting, greet }, { pins, target });
    return {
      default: packages.greet,
      'default-root': packages.greet.root,
      greeting: packages.greeting,
      'greeting-dev': packages.greeting.dev!,
    };
  },
});
