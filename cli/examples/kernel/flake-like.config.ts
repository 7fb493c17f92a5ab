// A kernel of one's own: a few options, and a module that is not part of it, in the smallest image there is.
// `cairn build && cairn run mine --direct` starts it; `modprobe hello` there loads the module.

import { defineFlake, localFolder } from 'cairn-build';
import {
  createKernel,
  emulatorTree,
  extendImage,
  inputs,
  kernelModule,
  prebuiltInputs,
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
  // What loads modules is Debian's: the smallest image has no program for that.
  inputs: { ...inputs, ...prebuiltInputs('kmod', ['kmod']) },
  sandbox: ({ pins }) => sandboxTool(pins),
  outputs: ({ pins, target }) => {
    const plain = createKernel({ pins, target, variant: 'tiny', fragments: [options] });
    const source = localFolder({ name: 'hello', path: './hello' });
    const modules = { hello: kernelModule({ name: 'hello', pins, kernel: plain, source }) };
    const kernel = withModules(plain, { pins, modules });
    const image = extendImage('tiny', { name: 'mine', kernel, prebuilt: ['kmod'] }, { pins, target });
    return { ...image, default: image['mine']!, emulator: emulatorTree(pins) };
  },
});
