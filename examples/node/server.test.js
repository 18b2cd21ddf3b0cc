'use strict';

const assert = require('node:assert');
const test = require('node:test');
const server = require('./server.js');

test('answers its pages', async (t) => {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const base = `http://127.0.0.1:${server.address().port}`;
  assert.match(await (await fetch(`${base}/`)).text(), /^hello from node v/);
  assert.strictEqual((await (await fetch(`${base}/healthz`)).json()).pid, process.pid);
  assert.strictEqual((await fetch(`${base}/nothing`)).status, 404);
});
