// The gate itself, between a plain client and a server that repeats what it hears.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { RawClient } from '../lib/raw.mjs';
import { Gate } from './gate.mjs';

let echo;
before(async () => {
  echo = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  await new Promise((resolve) => echo.listen(0, '127.0.0.1', resolve));
});
after(() => echo.close());

async function through(t, rules) {
  const gate = await Gate.start(echo.address().port, rules);
  t.after(() => gate.stop());
  const client = await RawClient.connect(gate.port);
  t.after(() => client.close());
  return client;
}
const text = 'The quick brown fox jumps over the lazy dog. '.repeat(50);

test('without rules everything passes, also the end', async (t) => {
  const client = await through(t, {});
  assert.ok((await client.send(text).finishSending().rest()).equals(Buffer.from(text)));
  assert.equal(client.ended, 'end');
});

test('slices, delays and rates change nothing but the time', async (t) => {
  const rules = { toServer: { slice: 1 }, toClient: { slice: 7, delay: 1, bytesPerSecond: 500_000 } };
  const client = await through(t, rules);
  assert.ok((await client.send(text).finishSending().rest()).equals(Buffer.from(text)));
});

test('a cut lets exactly so many bytes pass', async (t) => {
  const client = await through(t, { toClient: { cutAfter: 100 } });
  assert.equal((await client.send(text).rest()).toString(), text.slice(0, 100));
  assert.equal(client.ended, 'end');
});

test('a cut of nothing ends the connection at once', async (t) => {
  const client = await through(t, { toClient: { cutAfter: 0 } });
  assert.equal((await client.send(text).rest()).length, 0);
});

test('a cut by reset arrives as one', async (t) => {
  const client = await through(t, { toServer: { cutAfter: 10, reset: true } });
  await client.send(text).rest();
  assert.equal(client.ended, 'reset');
});

test('one byte is corrupted and no other', async (t) => {
  const client = await through(t, { toServer: { corruptAt: 5, corruptWith: 0x20 } });
  const got = (await client.send(text).finishSending().rest()).toString();
  assert.equal(got, `${text.slice(0, 5)}U${text.slice(6)}`);
});

test('a stall holds the rest back and the connection open', async (t) => {
  const client = await through(t, { toClient: { stallAfter: 64 } });
  assert.equal((await client.send(text).bytes(64)).toString(), text.slice(0, 64));
  await assert.rejects(client.more(150), /took longer/);
  assert.equal(client.ended, undefined);
});
