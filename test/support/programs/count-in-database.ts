// Counts in a database that is not flushed: `count-in-database FOLDER ROUNDS COUNTS`. In each round it is opened, the number in
// it is made larger by one in so many transactions, and it is closed.

import { Database } from '../../../store/records/database.ts';

const [folder, rounds, counts] = process.argv.slice(2) as [string, string, string];
for (let round = 0; round < Number(rounds); round++) {
  const database = Database.open(folder, { durable: false });
  for (let count = 0; count < Number(counts); count++)
    database.transactionSync(() => {
      const table = database.table('locks');
      const number = Number(Buffer.from(table.get('count') ?? []).toString());
      table.putSync('count', Buffer.from(`${number + 1}`));
    });
  await database.close();
}
