// The image for PCs, in one with UEFI.

import { describeDockerImage } from './docker-server.ts';

describeDockerImage({ image: 'pc', target: 'x86_64-linux', processor: 'x86_64' });
