// The end of the process: nobody is cut off who need not be.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { Gateway, Mock, question } from '../lib/gateway.mjs';
import { eventually, onEnd, within } from '../lib/process.mjs';
import { RawClient, chatRequest, request } from '../lib/raw.mjs';
import { readChat } from '../lib/sse.mjs';

const mock = await Mock.start();
const start = (t, drain, more = {}) =>
  Gateway.start(t, { drain, providers: { mock: { type: 'openai', base_url: mock.base } }, ...more });

async function openStream(gateway, headers = { 'x-mock-tokens': '50', 'x-mock-between-tokens': '10ms' }) {
  const response = await gateway.chat({ ...question('x'), stream: true }, { headers });
  assert.equal(response.status, 200);
  return response;
}
const refused = (port) =>
  eventually(async () => {
    const client = await RawClient.connect(port).catch((error) => error);
    if (client instanceof Error) return client.code === 'ECONNREFUSED';
    client.close();
    return false;
  }, 'no more connections');

describe('SIGTERM and Ctrl-C', () => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    test(`${signal}: streams finish, nobody new is let in, the exit code is 0`, async (t) => {
      const gateway = await start(t, '20s');
      const idle = await RawClient.connect(gateway.port);
      onEnd(t, () => idle.close());
      await idle.send(request('GET', '/v1/models')).response();
      const stream = await openStream(gateway);
      gateway.child.kill(signal);
      await eventually(async () => (await fetch(`${gateway.admin}/readyz`)).status === 503, 'not ready');
      assert.deepEqual(await (await fetch(`${gateway.admin}/readyz`)).json(), { status: 'draining' });
      assert.equal((await fetch(`${gateway.admin}/healthz`)).status, 200);
      assert.equal(await gateway.metric('sluice_draining'), 1);
      await refused(gateway.port);
      await idle.rest();
      assert.equal(idle.ended, 'end', 'an idle connection is closed');
      const said = readChat(await stream.text());
      assert.deepEqual([said.done, said.error], [true, undefined]);
      assert.deepEqual(await gateway.child.end(), { code: 0, signal: null });
      assert.equal((await gateway.accessLog()).filter((row) => row.stream && row.outcome === 'ok').length, 1);
    });
  }
  test('without anything under way it ends at once', async (t) => {
    const gateway = await start(t, '60s');
    gateway.child.kill('SIGTERM');
    assert.deepEqual(await gateway.child.end(), { code: 0, signal: null });
  });
  test('an answer under way says that the connection closes', async (t) => {
    const gateway = await start(t, '20s');
    const client = await RawClient.connect(gateway.port);
    onEnd(t, () => client.close());
    client.send(chatRequest(question('x'), { 'x-mock-first-token': '300ms' }));
    await eventually(async () => (await gateway.streams()).length === 1, 'the request being under way');
    gateway.child.kill('SIGTERM');
    const response = await client.response();
    assert.equal(response.status, 200);
    assert.equal(response.get('connection'), 'close');
    await client.rest();
    assert.equal(client.ended, 'end');
    assert.equal((await gateway.child.end()).code, 0);
  });
  test('a request whose head has begun is still served', async (t) => {
    const gateway = await start(t, '20s');
    const client = await RawClient.connect(gateway.port);
    onEnd(t, () => client.close());
    const bytes = request('GET', '/v1/models');
    client.send(bytes.subarray(0, 20));
    await eventually(async () => (await gateway.metric('sluice_connections')) >= 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    gateway.child.kill('SIGTERM');
    await eventually(async () => (await fetch(`${gateway.admin}/readyz`)).status === 503);
    assert.equal((await client.send(bytes.subarray(20)).response()).status, 200);
    assert.equal((await gateway.child.end()).code, 0);
  });
});

describe('when the time is over', () => {
  test('a stream gets a proper end in its protocol', async (t) => {
    const gateway = await start(t, '300ms');
    const stream = await openStream(gateway, { 'x-mock-tokens': '100000', 'x-mock-between-tokens': '10ms' });
    gateway.child.kill('SIGTERM');
    const said = readChat(await stream.text());
    assert.equal(said.done, false);
    assert.deepEqual([said.error?.code, said.error?.type], ['draining', 'server_error']);
    assert.match(said.error.message, /shutting down/);
    assert.equal((await gateway.child.end()).code, 0);
    assert.equal(gateway.accessLog().at(-1).outcome, 'ended');
  });
  test('a request that waits for its answer is told', async (t) => {
    const gateway = await start(t, '200ms');
    const asked = gateway.chat(question('x'), { headers: { 'x-mock-first-token': '60s' } });
    await eventually(async () => (await gateway.streams()).length === 1);
    gateway.child.kill('SIGTERM');
    const response = await asked;
    assert.equal(response.status, 503);
    assert.equal((await response.json()).error.code, 'draining');
    assert.ok(response.headers.get('retry-after'));
    assert.equal((await gateway.child.end()).code, 0);
  });
  test('a WebSocket is closed', async (t) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    onEnd(t, () => server.close());
    const base_url = `http://127.0.0.1:${server.address().port}/v1`;
    const gateway = await start(t, '200ms', { providers: { live: { type: 'openai', base_url } } });
    const client = await RawClient.connect(gateway.port);
    onEnd(t, () => client.close());
    client.send(request('GET', '/v1/realtime?model=x', { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' }));
    assert.equal((await client.head()).status, 101);
    gateway.child.kill('SIGTERM');
    await client.rest();
    assert.equal((await gateway.child.end()).code, 0);
  });
  test('drain: off ends streams at once, with their error event', async (t) => {
    const gateway = await start(t, 'off');
    const stream = await openStream(gateway, { 'x-mock-tokens': '100000', 'x-mock-between-tokens': '10ms' });
    gateway.child.kill('SIGTERM');
    assert.equal(readChat(await stream.text()).error?.code, 'draining');
    assert.equal((await gateway.child.end()).code, 0);
  });
  test('a client that sends nothing and one that reads nothing do not hold the end up', async (t) => {
    const gateway = await start(t, '200ms');
    const silent = await RawClient.connect(gateway.port);
    onEnd(t, () => silent.close());
    silent.send('POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n');
    const deaf = await RawClient.connect(gateway.port, { readable: false });
    onEnd(t, () => deaf.close());
    deaf.socket.pause();
    deaf.send(request('GET', '/providers/mock/v1/files/x/content?bytes=1GiB'));
    await eventually(async () => (await gateway.streams()).length === 2, 'both under way');
    gateway.child.kill('SIGTERM');
    assert.equal((await gateway.child.end()).code, 0);
  });
});

test('a second signal ends it at once', async (t) => {
  for (const [signal, code] of [['SIGTERM', 143], ['SIGINT', 130]]) {
    const gateway = await start(t, '600s');
    const stream = await openStream(gateway, { 'x-mock-tokens': '100000', 'x-mock-between-tokens': '10ms' });
    gateway.child.kill(signal);
    await eventually(() => /draining/.test(gateway.log));
    gateway.child.kill(signal);
    gateway.child.expectedExit = true;
    assert.deepEqual(await within(gateway.child.exited, 'the end'), { code, signal: null });
    await stream.text().catch(() => {});
  }
});

test('a reload is not begun while draining', async (t) => {
  const gateway = await start(t, '20s');
  const stream = await openStream(gateway);
  gateway.child.kill('SIGTERM');
  await eventually(async () => (await fetch(`${gateway.admin}/readyz`)).status === 503);
  gateway.child.kill('SIGHUP');
  assert.ok(readChat(await stream.text()).done);
  assert.equal((await gateway.child.end()).code, 0);
  assert.ok(!/reloaded/.test(gateway.log));
});

test('the mock ends on a signal too', async (t) => {
  const own = await Mock.start(t);
  own.child.kill('SIGINT');
  assert.equal((await own.child.end()).code, 0);
});
