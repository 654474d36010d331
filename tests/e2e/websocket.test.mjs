// WebSockets are tunnelled: the frames are none of our business, the bytes and the ends are.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import WebSocket, { WebSocketServer } from 'ws';
import { answers, startAimock } from '../lib/aimock.mjs';
import { Gateway } from '../lib/gateway.mjs';
import { assertError } from '../lib/errors.mjs';
import { eventually, onEnd, reservedPort, sleep, within } from '../lib/process.mjs';
import { RawClient, request } from '../lib/raw.mjs';
import { startUpstream } from '../lib/upstream.mjs';

const upgrades = [];
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: (offered) => [...offered][0] ?? false });
await once(server, 'listening');
server.on('connection', (socket, incoming) => {
  upgrades.push({ socket, incoming });
  if (incoming.headers['x-greet']) socket.send('welcome');
  if (incoming.headers['x-silent']) return;
  socket.on('message', (data, binary) => socket.send(data, { binary }));
});
onEnd(undefined, () => server.close());
const plain = await startUpstream(undefined, (_, response) => {
  response.writeHead(403, { 'content-type': 'application/json' });
  response.end('{"error":{"message":"no realtime for you"}}');
});
const aimock = await startAimock();

const gateway = await Gateway.start(undefined, {
  providers: {
    live: { type: 'openai', base_url: `http://127.0.0.1:${server.address().port}/v1`, api_key: 'sk-live' },
    plain: { type: 'openai', base_url: plain.base },
    aimock: { type: 'openai', base_url: `${aimock.url}/v1`, api_key: 'sk-aimock' },
    gone: { type: 'openai', base_url: `http://127.0.0.1:${reservedPort()}/v1` },
  },
  models: { voice: 'live/gpt-realtime' },
});

async function open(t, target = '/v1/realtime?model=live/gpt-realtime', options = {}, protocols = []) {
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}${target}`, protocols, options);
  onEnd(t, () => socket.terminate());
  await within(once(socket, 'open'), 'opening');
  return { socket, upstream: upgrades.at(-1) };
}
const nextMessage = async (socket) => {
  const [data, binary] = await within(once(socket, 'message'), 'a message');
  return binary ? data : data.toString();
};

describe('the upgrade', () => {
  test('goes to the provider of the model, with its key and its own name of the model', async (t) => {
    const { upstream } = await open(t, '/v1/realtime?model=voice&x=1', { headers: { authorization: 'Bearer sk-client', 'openai-beta': 'realtime=v1' } });
    assert.equal(upstream.incoming.url, '/v1/realtime?model=gpt-realtime&x=1');
    assert.equal(upstream.incoming.headers.authorization, 'Bearer sk-live');
    assert.equal(upstream.incoming.headers['openai-beta'], 'realtime=v1');
    assert.ok(upstream.incoming.headers['x-request-id']);
  });
  test('keeps the subprotocol', async (t) => {
    const { socket } = await open(t, undefined, {}, ['realtime', 'other']);
    assert.equal(socket.protocol, 'realtime');
  });
  test('a drop-in path works too', async (t) => {
    const { upstream } = await open(t, '/providers/live/v1/realtime?model=any');
    assert.equal(upstream.incoming.url, '/v1/realtime?model=any');
  });
  test('a refusal of the upstream reaches the client', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/v1/realtime?model=plain/x`);
    const [, response] = await within(once(socket, 'unexpected-response'), 'the refusal');
    assert.equal(response.statusCode, 403);
    assert.match(Buffer.concat(await response.toArray()).toString(), /no realtime for you/);
  });
  for (const [name, target, status, code] of [
    ['an unknown model', '/v1/realtime?model=nothing', 404, 'model_not_found'],
    ['an upstream that is down', '/v1/realtime?model=gone/x', 502, 'connect_failed'],
    ['no model at all', '/v1/realtime', 400, 'bad_request'],
  ]) {
    test(`${name} is refused in OpenAI's form`, async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}${target}`);
      const [, response] = await within(once(socket, 'unexpected-response'), 'the refusal');
      const body = Buffer.concat(await response.toArray());
      assertError({ status: response.statusCode, body }, { status, code, message: /\w+ \w+/ });
    });
  }
  test('another protocol than WebSocket is not upgraded to', async (t) => {
    const client = await RawClient.connect(gateway.port);
    onEnd(t, () => client.close());
    client.send(request('GET', '/providers/plain/v1/x', { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAAQCAAAAAAIAAAAA' }));
    assert.equal((await client.response()).status, 403);
    const { headers } = plain.requests.at(-1);
    assert.deepEqual([headers.upgrade, headers['http2-settings']], [undefined, undefined]);
  });
});

describe('the tunnel', () => {
  test('carries text and binary messages both ways', async (t) => {
    const { socket } = await open(t);
    for (const message of ['hello', 'é你好', 'x'.repeat(200_000)]) {
      socket.send(message);
      assert.equal(await nextMessage(socket), message);
    }
    const bytes = randomBytes(3_000_000);
    socket.send(bytes);
    assert.ok((await nextMessage(socket)).equals(bytes));
  });
  test('what the server says first is not lost', async (t) => {
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/v1/realtime?model=voice`, { headers: { 'x-greet': 'yes' } });
    onEnd(t, () => socket.terminate());
    assert.equal(await nextMessage(socket), 'welcome');
  });
  test('what the client says with its upgrade is not lost', async (t) => {
    const client = await RawClient.connect(gateway.port);
    onEnd(t, () => client.close());
    const frame = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]);  // "hi", masked with zeros
    client.send(Buffer.concat([
      request('GET', '/v1/realtime?model=voice', {
        Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      }),
      frame,
    ]));
    const head = await client.head();
    assert.equal(head.status, 101);
    assert.equal(head.get('sec-websocket-accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    assert.deepEqual([...(await client.bytes(4))], [0x81, 2, 0x68, 0x69]);
  });
  test('many messages in both directions at once keep their order', async (t) => {
    const { socket } = await open(t);
    const hash = () => createHash('sha256');
    const sent = hash();
    const received = hash();
    const count = 2000;
    let seen = 0;
    const all = new Promise((resolve) => {
      socket.on('message', (data) => {
        received.update(data);
        if (++seen === count) resolve();
      });
    });
    for (let i = 0; i < count; ++i) {
      const message = Buffer.alloc(1 + ((i * 37) % 900), i & 0xff);
      sent.update(message);
      socket.send(message);
      if (i % 100 === 0) await sleep(0);
    }
    await within(all, 'all messages');
    assert.equal(received.digest('hex'), sent.digest('hex'));
  });
  test('a close by the client reaches the server, with code and reason', async (t) => {
    const { socket, upstream } = await open(t);
    const closed = once(upstream.socket, 'close');
    socket.close(4001, 'enough');
    const [code, reason] = await within(closed, 'the close');
    assert.deepEqual([code, reason.toString()], [4001, 'enough']);
  });
  test('a close by the server reaches the client', async (t) => {
    const { socket, upstream } = await open(t);
    const closed = once(socket, 'close');
    upstream.socket.close(4002, 'over');
    const [code, reason] = await within(closed, 'the close');
    assert.deepEqual([code, reason.toString()], [4002, 'over']);
  });
  test('a connection that breaks on one side breaks on the other', async (t) => {
    const one = await open(t);
    const closed = once(one.upstream.socket, 'close');
    one.socket.terminate();
    await within(closed, 'the server noticing');
    const two = await open(t);
    const gone = once(two.socket, 'close');
    two.upstream.socket.terminate();
    await within(gone, 'the client noticing');
  });
  test('a server that does not read stops the client, and then goes on', async (t) => {
    const { socket, upstream } = await open(t, undefined, { headers: { 'x-silent': '1' } });
    upstream.socket.pause();
    const message = Buffer.alloc(64 * 1024, 7);
    let sent = 0;
    const limit = 256 * 1024 * 1024;
    for (let still = 0, last = -1; still < 10 && sent < limit; ) {
      if (socket.bufferedAmount > 1 << 20) {
        await sleep(20);
        still = socket.bufferedAmount === last ? still + 1 : 0;
        last = socket.bufferedAmount;
        continue;
      }
      socket.send(message);
      sent += message.length;
    }
    assert.ok(sent < limit, 'the client was stopped');
    let received = 0;
    upstream.socket.on('message', (data) => (received += data.length));
    upstream.socket.resume();
    await eventually(() => received === sent, 'all of it arriving');
  });
  test('it is listed while it lives, counted when it ends, and can be ended', async (t) => {
    const { socket } = await open(t, undefined, { headers: { 'x-request-id': 'tunnel-1' } });
    socket.send('x'.repeat(1000));
    await nextMessage(socket);
    const stream = await eventually(async () => (await gateway.streams()).find((one) => one.request_id === 'tunnel-1'));
    assert.deepEqual([stream.provider, stream.path], ['live', '/v1/realtime']);
    const closed = once(socket, 'close');
    assert.equal((await gateway.adminJson(`/admin/streams/${stream.id}`, { method: 'DELETE' })).status, 200);
    const [code] = await within(closed, 'the end');
    assert.equal(code, 1001, 'it is told that the server goes away');
    const row = await gateway.logged('tunnel-1');
    assert.equal(row.status, 101);
    assert.equal(row.outcome, 'ended');
    assert.ok(row.bytes_in > 1000 && row.bytes_out > 1000, JSON.stringify(row));
  });
  test('one that ends in order is counted as ok', async (t) => {
    const { socket } = await open(t, undefined, { headers: { 'x-request-id': 'tunnel-2' } });
    socket.close();
    assert.equal((await gateway.logged('tunnel-2')).outcome, 'ok');
  });
});

test('a realtime session of aimock', async (t) => {
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/v1/realtime?model=aimock/gpt-realtime`);
  onEnd(t, () => socket.terminate());
  const events = [];
  socket.on('message', (data) => events.push(JSON.parse(data)));
  await eventually(() => events.some((event) => event.type === 'session.created'), 'the session');
  const content = [{ type: 'input_text', text: 'greet me' }];
  socket.send(JSON.stringify({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } }));
  socket.send(JSON.stringify({ type: 'response.create', response: { output_modalities: ['text'] } }));
  await eventually(() => events.some((event) => event.type === 'response.done'), 'the response');
  const text = events.filter((event) => event.type === 'response.output_text.delta').map((event) => event.delta).join('');
  assert.equal(text, answers.greeting);
});
