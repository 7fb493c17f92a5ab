#!/usr/bin/node
import { text } from 'node:stream/consumers';
import { counted } from 'plural';
import { count } from './count.js';

for (const [word, times] of count(await text(process.stdin)))
  console.log(`${word}: ${counted(times, 'time')}`);
