'use strict';
// npm no-riak, over Protocol Buffers.
const Riak = require('no-riak');
const { run, expect } = require('./steps');

const [host, port, prefix] = process.argv.slice(2);
const client = new Riak.Client({ connectionString: `${host}:${port}` });

const at = (key) => ({ type: 'siblings', bucket: 'compat', key });
const store = (key, value, vclock) =>
  client.put({ ...at(key), content: { value, content_type: 'text/plain' }, ...(vclock ? { vclock } : {}) });
const valuesOf = (found) => found.content.map((content) => content.value.toString()).sort();

const plain = `${prefix}-plain`;
const conflict = `${prefix}-conflict`;
run([
  ['put', () => store(plain, 'hello')],
  ['get', async () => {
    const found = await client.get(at(plain));
    expect(valuesOf(found).join() === 'hello', valuesOf(found));
  }],
  ['siblings', async () => {
    await store(conflict, 'one');
    await store(conflict, 'two');
    const found = await client.get(at(conflict));
    expect(valuesOf(found).join() === 'one,two', valuesOf(found));
  }],
  ['resolve', async () => {
    const found = await client.get(at(conflict));
    await store(conflict, 'one and two', found.vclock);
    const again = await client.get(at(conflict));
    expect(valuesOf(again).join() === 'one and two', valuesOf(again));
  }],
  ['delete', async () => {
    await client.del(at(plain));
    const found = await client.get(at(plain));
    expect(!found || !found.content || found.content.length === 0, 'still there');
  }],
]);
