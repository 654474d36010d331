// Upstreams that fail, and what the client is told: OpenAI's form, a status, a stable code, a message that helps.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertError, assertFetchError } from '../lib/errors.mjs';
import { Gateway, Mock, question } from '../lib/gateway.mjs';
import { eventually, onEnd, reservedPort } from '../lib/process.mjs';
import { RawClient, chatRequest, request, roundTrip } from '../lib/raw.mjs';
import { readChat } from '../lib/sse.mjs';
import { answer, chatEvent, chunk, onRequest, startBytes, streamHead } from '../lib/upstream.mjs';

const mock = await Mock.start();
let reply = () => {};
const hands = await startBytes(undefined, (socket) => onRequest(socket, (one, bytes) => reply(one, bytes)));
const nobody = reservedPort();
const short = { connect: '300ms', first_token: '150ms', between_tokens: '150ms' };

const gateway = await Gateway.start(undefined, {
  keep_alive_comment: 'off',
  providers: {
    mock: { type: 'openai', base_url: mock.base, timeouts: short },
    hands: { type: 'openai', base_url: hands.base, timeouts: { connect: '2s' } },
    hasty: { type: 'openai', base_url: mock.base, timeouts: { total: '200ms' } },
    refused: { type: 'openai', base_url: `http://127.0.0.1:${nobody}/v1`, timeouts: short },
    unresolved: { type: 'openai', base_url: 'http://no-such-host.invalid/v1', timeouts: { connect: '5s' } },
    // Nobody answers there: an address for documentation.
    silent: { type: 'openai', base_url: 'http://192.0.2.1/v1', timeouts: short },
    secret: { type: 'openai', base_url: `http://127.0.0.1:${nobody}/v1`, api_key: 'sk-never-show-me', timeouts: short },
  },
  limits: { max_body: '64KiB' },
});
const ask = (provider, { headers, ...more } = {}) =>
  gateway.chat({ ...question('hello', more), model: `${provider}/m` }, { headers });
const fail = async (response, expected, outcome = 'upstream_error') => {
  const error = await assertFetchError(response, expected);
  const row = await gateway.logged(response.headers.get('x-request-id'));
  assert.deepEqual([row.status, row.code, row.outcome], [expected.status, expected.code, outcome]);
  return error;
};

describe('no connection', () => {
  for (const stream of [false, true]) {
    test(`refused, ${stream ? 'streamed' : 'whole'}`, async () => {
      await fail(await ask('refused', { stream }), { status: 502, code: 'connect_failed', message: new RegExp(`refused.*|127\\.0\\.0\\.1:${nobody}`) });
    });
  }
  test('a name without an address', async () => {
    await fail(await ask('unresolved'), { status: 502, code: 'resolve_failed', message: /no-such-host\.invalid/ });
  });
  test('nobody answers', async () => {
    const response = await ask('silent');
    const { error } = await response.json();
    // Some networks refuse at once what others swallow.
    if (error.code === 'connect_failed') return assert.equal(response.status, 502);
    assert.deepEqual([response.status, error.code, error.type], [504, 'timeout', 'server_error']);
    assert.match(error.message, /connect/);
  });
  test('an error never tells a key', async () => {
    const text = await (await ask('secret')).text();
    assert.ok(!text.includes('sk-never-show-me'));
    assert.ok(!gateway.log.includes('sk-never-show-me'));
  });
});

describe('time', () => {
  test('no first token', async () => {
    const headers = { 'x-mock-first-token': '30s' };
    await fail(await ask('mock', { headers }), { status: 504, code: 'timeout', message: /0\.15|150/ });
    await eventually(async () => (await mock.stats()).cancelled_requests > 0, 'the call being given up');
  });
  test('no first token of a stream', async () => {
    const response = await ask('mock', { stream: true, headers: { 'x-mock-first-token': '30s' } });
    // The head may have come already: then the stream says it.
    if (response.status !== 200) return fail(response, { status: 504, code: 'timeout', message: /0\.15|150/ });
    const said = readChat(await response.text());
    assert.deepEqual([said.done, said.error.code, said.error.type], [false, 'timeout', 'server_error']);
  });
  test('slow headers', async () => {
    await fail(await ask('mock', { headers: { 'x-mock-fault': 'slow-headers=30s' } }), { status: 504, code: 'timeout', message: /0\.15|150/ });
  });
  test('a stall in the middle of a stream', async () => {
    const response = await ask('mock', { stream: true, headers: { 'x-mock-fault': 'stall-after=3' } });
    assert.equal(response.status, 200);
    const said = readChat(await response.text());
    assert.equal(said.done, false);
    assert.equal(said.error.code, 'timeout');
    assert.equal(said.error.type, 'server_error');
    assert.match(said.error.message, /\w+ \w+/);
    const row = await gateway.logged(response.headers.get('x-request-id'));
    assert.deepEqual([row.outcome, row.code], ['broken', 'timeout']);
  });
  test('a stall in the middle of a whole answer', async () => {
    const response = await roundTrip(gateway.port, chatRequest({ ...question('x'), model: 'mock/m' }, { 'x-mock-fault': 'stall-after=1' }));
    assert.ok(!response.complete || response.status === 504);
  });
  test('the total time', async () => {
    const response = await ask('hasty', { stream: true, headers: { 'x-mock-between-tokens': '20ms', 'x-mock-tokens': '10000' } });
    const said = readChat(await response.text());
    assert.deepEqual([said.done, said.error?.code], [false, 'timeout']);
  });
});

describe('answers that are none', () => {
  const cases = [
    ['closed without an answer', (socket) => socket.end(), /connection_closed|connection_reset/],
    ['reset without an answer', (socket) => socket.resetAndDestroy(), /connection_reset|connection_closed/],
    ['not HTTP', (socket) => socket.end('220 smtp.example.com ESMTP\r\n\r\n'), /protocol_error/],
    ['half a head', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-ty'), /truncated|protocol_error|connection_closed/],
    ['both length and chunks', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'), /protocol_error/],
    ['two lengths', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nab'), /protocol_error/],
    ['a header without a name', (socket) => socket.end('HTTP/1.1 200 OK\r\n: x\r\ncontent-length: 0\r\n\r\n'), /protocol_error/],
    ['a head of a megabyte', (socket) => socket.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(1 << 20)}\r\n\r\n`), /protocol_error/],
    ['a broken chunk at the start', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'), /protocol_error/],
    ['a status of its own', (socket) => socket.end('HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n'), /protocol_error/],
    ['nothing but interim answers', (socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n'.repeat(50)), /protocol_error/],
    ['an upgrade nobody asked for', (socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'), /protocol_error/],
  ];
  for (const [name, act, code] of cases) {
    test(name, async () => {
      reply = act;
      const response = await ask('hands');
      const body = await response.json();
      assert.match(body.error.code, code);
      await assertError({ status: response.status, body }, { status: 502, code: body.error.code, message: /\w+ \w+/ });
    });
  }
  test('the next request is served as if nothing had been', async () => {
    reply = (socket) => socket.write(answer(200, { 'content-type': 'application/json' }, '{"ok":true}'));
    assert.deepEqual(await (await ask('hands')).json(), { ok: true });
  });
  test('a broken chunk in the middle of a stream', async () => {
    reply = (socket) => socket.write(`${streamHead}${chunk(chatEvent('a'))}nonsense\r\n`);
    const said = readChat(await (await ask('hands', { stream: true })).text());
    assert.deepEqual([said.text, said.done, said.error?.code], ['a', false, 'protocol_error']);
  });
});

describe('answers that come before the request is over', () => {
  test('reach the client', async (t) => {
    const early = await startBytes(t, (socket) => {
      socket.once('data', () => socket.write(answer(401, { 'content-type': 'application/json', connection: 'close' }, '{"error":{"message":"who?"}}')));
    });
    const own = await Gateway.start(t, { providers: { early: { type: 'openai', base_url: early.base } } });
    const client = await RawClient.connect(own.port);
    onEnd(t, () => client.close());
    client.send('POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 50000000\r\n\r\n');
    client.send(Buffer.alloc(5_000_000, 'x'));
    const response = await client.response();
    assert.deepEqual([response.status, response.json.error.message], [401, 'who?']);
  });
});

describe('kept connections', () => {
  test('one that the upstream closed meanwhile is replaced, and nothing is sent twice', async () => {
    let requests = 0;
    reply = (socket) => {
      requests += 1;
      socket.write(answer(200, { 'content-type': 'application/json' }, '{"ok":true}'));
    };
    for (let i = 0; i < 8; ++i) assert.equal((await ask('hands')).status, 200);
    for (const socket of hands.sockets) socket.destroy();
    for (let i = 0; i < 8; ++i) assert.equal((await ask('hands')).status, 200);
    assert.equal(requests, 16);
  });
  test('one that dies under a request is tried once more on a new one', async () => {
    const seen = new Map();
    let requests = 0;
    reply = (socket) => {
      requests += 1;
      const number = (seen.get(socket) ?? 0) + 1;
      seen.set(socket, number);
      if (number > 1) return socket.destroy();
      socket.write(answer(200, { 'content-type': 'application/json' }, '{"ok":true}'));
    };
    for (let i = 0; i < 6; ++i) assert.equal((await ask('hands')).status, 200);
    assert.ok(requests >= 6);
  });
  test('one that fails after its first byte is not tried again', async () => {
    let requests = 0;
    reply = (socket) => {
      requests += 1;
      if (requests % 2 === 1) return socket.write(answer(200, { 'content-type': 'application/json' }, '{"ok":true}'));
      socket.end('HTTP/1.1 200 OK\r\ncontent-le');
    };
    const statuses = [];
    for (let i = 0; i < 6; ++i) statuses.push((await ask('hands')).status);
    assert.equal(requests, 6);
    assert.equal(statuses.filter((status) => status === 502).length, 3);
  });
});

describe('bodies that are too large', () => {
  const big = JSON.stringify({ ...question('x'.repeat(70_000)) });
  test('announced by their length', async () => {
    const before = (await mock.stats()).requests;
    await fail(await gateway.chat(big), { status: 413, code: 'too_large', message: /64 ?KiB|65536/ }, 'client_error');
    assert.equal((await mock.stats()).requests, before);
  });
  test('in chunks', async () => {
    const headers = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' };
    const bytes = Buffer.concat([request('POST', '/v1/chat/completions', headers), Buffer.from(`${big.length.toString(16)}\r\n${big}\r\n0\r\n\r\n`)]);
    const response = await roundTrip(gateway.port, bytes);
    assertError({ status: response.status, body: response.text }, { status: 413, code: 'too_large', message: /64 ?KiB|65536/ });
  });
  test('before they are sent, if the client waits', async (t) => {
    const client = await RawClient.connect(gateway.port);
    onEnd(t, () => client.close());
    client.send('POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n');
    const response = await client.response();
    assertError({ status: response.status, body: response.text }, { status: 413, code: 'too_large', message: /64 ?KiB|65536/ });
  });
  test('one byte less is fine', async () => {
    const frame = JSON.stringify(question('')).length;
    assert.equal((await gateway.chat(question('x'.repeat(65_536 - frame)))).status, 200);
    assert.equal((await gateway.chat(question('x'.repeat(65_537 - frame)))).status, 413);
  });
});

describe('methods', () => {
  test('GET where there must be a POST', async () => {
    const response = await fetch(`${gateway.url}/v1/chat/completions`);
    const { error } = await response.json();
    assert.ok(response.status >= 400 && response.status < 500, String(response.status));
    assert.equal(error.type, 'invalid_request_error');
    assert.ok(error.message.length > 5);
  });
  test('a body in a form that chat does not know', async () => {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: 'model=m', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    assert.ok(response.status >= 400 && response.status < 500, String(response.status));
    assert.ok((await response.json()).error.message.length > 5);
  });
});

test('the metrics name what went wrong', async () => {
  const metrics = await gateway.metrics();
  assert.ok(metrics.sum('sluice_requests_total', { provider: 'refused', outcome: 'upstream_error' }) >= 2);
  assert.ok(metrics.sum('sluice_requests_total', { provider: 'mock', outcome: 'broken' }) >= 1);
  assert.ok(metrics.sum('sluice_upstream_connects_total', { provider: 'refused', outcome: 'connect_failed' }) >= 2);
});
