'use strict';
// npm basho-riak-client, over Protocol Buffers.
const Riak = require('basho-riak-client');
const { run, expect } = require('./steps');

const [host, port, prefix] = process.argv.slice(2);
const node = new Riak.Node({ remoteAddress: host, remotePort: Number(port) });
const cluster = new Riak.Cluster({ nodes: [node] });
const client = new Riak.Client(cluster);

const call = (method, options) =>
  new Promise((resolve, reject) =>
    client[method](options, (error, result) => (error ? reject(error) : resolve(result))));
const at = (key) => ({ bucketType: 'siblings', bucket: 'compat', key });
const store = (key, value, vclock) => {
  const object = new Riak.Commands.KV.RiakObject();
  object.setContentType('text/plain');
  object.setValue(Buffer.from(value));
  return call('storeValue', { ...at(key), value: object, vclock });
};
const valuesOf = (found) => found.values.map((value) => value.value.toString()).sort();

const plain = `${prefix}-plain`;
const conflict = `${prefix}-conflict`;
run([
  ['put', () => store(plain, 'hello')],
  ['get', async () => {
    const found = await call('fetchValue', at(plain));
    expect(valuesOf(found).join() === 'hello', valuesOf(found));
  }],
  ['siblings', async () => {
    await store(conflict, 'one');
    await store(conflict, 'two');
    const found = await call('fetchValue', at(conflict));
    expect(valuesOf(found).join() === 'one,two', valuesOf(found));
  }],
  ['resolve', async () => {
    const found = await call('fetchValue', at(conflict));
    await store(conflict, 'one and two', found.values[0].vclock);
    const again = await call('fetchValue', at(conflict));
    expect(valuesOf(again).join() === 'one and two', valuesOf(again));
  }],
  ['delete', async () => {
    await call('deleteValue', at(plain));
    const found = await call('fetchValue', at(plain));
    expect(found.isNotFound, 'still there');
  }],
]);
