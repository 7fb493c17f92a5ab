// Opens a database that is not flushed, says so, and closes it when its input ends: `hold-database FOLDER`.

import { once } from 'node:events';
import { Database } from '../../../store/records/database.ts';

const database = Database.open(process.argv[2]!, { durable: false });
process.stdout.write('open\n');
await once(process.stdin.resume(), 'end');
await database.close();
