// Where a person keeps what is about them and no project.

import { homedir } from 'node:os';
import { join } from 'node:path';

export function configFolder({ XDG_CONFIG_HOME: config, HOME: home }: NodeJS.ProcessEnv): string {
  const base = config !== undefined && config !== '' ? config : join(home ?? homedir(), '.config');
  return join(base, 'cairn');
}
