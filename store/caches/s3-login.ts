// The keys that S3 is shown: of the environment, or of the person's file for all programs that speak to it. Neither is ever part
// of an error, a log, a URL or an argument of a process.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { readTextIfThere } from '../base/named-file.ts';
import type { S3Login } from './s3-manner.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** As the AWS command line finds them: AWS_ACCESS_KEY_ID and the like first, then ~/.aws/credentials. */
export async function s3Login(env: Environment): Promise<S3Login | undefined> {
  const ofEnvironment = loginOf((name) => env[name.toUpperCase()]);
  if (ofEnvironment !== undefined) return ofEnvironment;
  const path = env['AWS_SHARED_CREDENTIALS_FILE'] ?? join(env['HOME'] ?? homedir(), '.aws/credentials');
  const text = await readTextIfThere(path);
  const section = sectionOf(text ?? '', env['AWS_PROFILE'] ?? 'default');
  return loginOf((name) => section.get(name));
}

function loginOf(value: (name: string) => string | undefined): S3Login | undefined {
  const [accessKeyId, secretAccessKey] = [value('aws_access_key_id'), value('aws_secret_access_key')];
  if (!accessKeyId || !secretAccessKey) return undefined;
  const sessionToken = value('aws_session_token');
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

/** The settings under `[name]` of a file of `key = value` lines; what begins with # or ; is a comment. */
function sectionOf(text: string, name: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  let isIn = false;
  for (const line of text.split('\n').map((one) => one.trim())) {
    const heading = /^\[\s*(.*?)\s*\]$/.exec(line)?.[1];
    if (heading !== undefined) isIn = heading === name;
    const [, key, value] = /^([^#;=[][^=]*?)\s*=\s*(.*)$/.exec(line) ?? [];
    if (isIn && key !== undefined && value !== undefined) settings.set(key.toLowerCase(), value);
  }
  return settings;
}
