// A kernel of one's own: a few options, and a module that is not part of it, in the smallest image there is.
// `cairn build && cairn run mine --direct` starts it; `modprobe hello` there loads the module.

import { defineFlake, localFolder } from 'cairn-build';
import {
  createKernel,
  emulatorTree,
  extendImage,
  inputs,
  kernelModule,
  sandboxTool,
  withModules,
  type Fragment,
} from 'cairn-build/derivations';

const options: Fragment = {
  name: 'mine',
  on: { 'its own configuration, in /proc/config.gz': 'IKCONFIG IKCONFIG_PROC' },
};

export default defineFlake({
  description: 'a kernel of my own',
  inputs,
  sandbox: ({ pins }) => sandboxTool(pins),
  outputs: ({ pins, target }) => {
    const plain = createKernel({ pins, target, variant: 'tiny', fragments: [options] });
    const source = localFolder({ name: 'hello', path: './hello' });
    const modules = { hello: kernelModule({ name: 'hello', pins, kernel: plain, source }) };
    const kernel = withModules(plain, { pins, modules });
    const image = extendImage('tiny', { name: 'mine', kernel }, { pins, target });
    return { ...image, default: image['mine']!, emulator: emulatorTree(pins) };
  },
});
