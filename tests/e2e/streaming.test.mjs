// Streams: each event at once, silence kept alive, breaks told, clients that leave or do not read.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Gateway, Mock, question } from '../lib/gateway.mjs';
import { eventually, onEnd, sleep } from '../lib/process.mjs';
import { RawClient, chatRequest, request, roundTrip } from '../lib/raw.mjs';
import { readChat } from '../lib/sse.mjs';
import { answer, chatEvent, chunk, done, onRequest, startBytes, startUpstream, streamHead } from '../lib/upstream.mjs';

const mock = await Mock.start();
// Holds each request until the test says what to answer.
const asked = [];
const hands = await startBytes(undefined, (socket) => onRequest(socket, (_, bytes) => asked.push({ socket, bytes })));
const gateway = await Gateway.start(undefined, {
  keep_alive_comment: '50ms',
  limits: { write_stall_timeout: '60s' },
  providers: {
    mock: { type: 'openai', base_url: mock.base },
    hands: { type: 'openai', base_url: hands.base },
    inside: { type: 'mock' },
  },
  routes: [{ match: { header: { 'x-quiet': 'yes' } }, keep_alive_comment: 'off' }],
});

/** A raw client whose request waits in the hands of the test. */
async function begin(t, { stream = true, headers = {}, method = 'POST', target } = {}) {
  const client = await RawClient.connect(gateway.port);
  onEnd(t, () => client.close());
  const before = asked.length;
  if (target) client.send(request(method, target, headers));
  else client.send(chatRequest({ model: 'hands/m', stream, messages: [{ role: 'user', content: 'hi' }] }, headers));
  await eventually(() => asked.length > before, 'the upstream being asked');
  return { client, upstream: asked.at(-1).socket, sent: asked.at(-1).bytes.toString() };
}
const streamed = async (body, headers = {}) => {
  const response = await gateway.chat({ stream: true, ...body }, { headers });
  return { response, said: readChat(await response.text()) };
};
const logOf = (response) => gateway.logged(response.headers.get('x-request-id'));

describe('flow', () => {
  test('an event reaches the client before the next one is made', async (t) => {
    const { client, upstream } = await begin(t, { headers: { 'x-quiet': 'yes' } });
    upstream.write(streamHead);
    const head = await client.head();
    assert.equal(head.status, 200);
    assert.match(head.get('content-type'), /^text\/event-stream/);
    for (const word of ['one', 'two', 'three']) {
      const event = chatEvent(word);
      upstream.write(chunk(event));
      assert.equal(await client.line(), Buffer.byteLength(event).toString(16));
      assert.equal((await client.bytes(event.length)).toString(), event);
      assert.equal(await client.line(), '');
    }
    upstream.write(chunk(done) + '0\r\n\r\n');
    assert.equal((await client.until('0\r\n\r\n')).toString(), chunk(done) + '0\r\n\r\n');
  });

  test('events that come in single bytes arrive whole', async (t) => {
    const { client, upstream } = await begin(t, { headers: { 'x-quiet': 'yes' } });
    const text = chatEvent('Größe 你好') + chatEvent('b') + done;
    const pieces = [];
    const reading = client.response({ onBody: (piece) => pieces.push(piece.toString()) });
    for (const byte of Buffer.from(streamHead + chunk(text) + '0\r\n\r\n')) {
      upstream.write(Buffer.of(byte));
      if (byte === 10) await sleep(1);
    }
    const response = await reading;
    assert.equal(response.text, text);
    assert.ok(response.complete);
  });

  test('a long answer is the same as from the mock itself', async () => {
    const body = { ...question('a long one'), stream: true, stream_options: { include_usage: true } };
    const headers = { 'x-mock-tokens': '3000', 'x-mock-chunk-bytes': '777' };
    const through = await (await gateway.chat(body, { headers })).text();
    const direct = await fetch(`${mock.base}/chat/completions`, {
      method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ ...body, model: 'm' }),
    });
    assert.equal(through, await direct.text());
  });

  test('usage that we asked for is not shown, but counted', async () => {
    const { response, said } = await streamed(question('hello'));
    assert.equal(said.usage, undefined);
    assert.ok(said.chunks.every((one) => !('usage' in one) || one.usage === null));
    assert.ok(said.chunks.every((one) => one.choices.length > 0), 'no chunk without a choice');
    assert.ok(said.done);
    const row = await logOf(response);
    assert.equal(row.tokens.estimated, false);
    assert.ok(row.tokens.prompt > 0 && row.tokens.completion > 0);
  });

  test('the provider in the process streams too', async () => {
    const { response, said } = await streamed({ ...question('hello'), model: 'inside/demo-small' });
    assert.equal(response.status, 200);
    assert.ok(said.done && said.text.length > 0);
    assert.equal((await logOf(response)).provider, 'inside');
  });

  test('a client of HTTP/1.0 gets a stream that ends with the connection', async () => {
    const body = JSON.stringify({ ...question('hello'), stream: true });
    const bytes = `POST /v1/chat/completions HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const response = await roundTrip(gateway.port, bytes);
    assert.equal(response.get('transfer-encoding'), undefined);
    assert.ok(response.complete);
    assert.ok(readChat(response.text).done);
  });
});

describe('silence', () => {
  test('a quiet stream is kept alive by comments between events', async (t) => {
    const { client, upstream } = await begin(t);
    upstream.write(streamHead);
    const pieces = [];
    const reading = client.response({ onBody: (piece) => pieces.push(piece.toString()) });
    const comments = () => readChat(pieces.join('')).comments.length;
    await eventually(() => comments() >= 2, 'comments before the first event');
    upstream.write(chunk(chatEvent('a')));
    const before = comments();
    await eventually(() => comments() >= before + 2, 'comments between events');
    upstream.write(chunk(done) + '0\r\n\r\n');
    const said = readChat((await reading).text);
    assert.deepEqual([said.text, said.done, said.error], ['a', true, undefined]);
    assert.ok((await gateway.metric('sluice_keep_alive_comments_total')) >= 4);
  });

  test('no comment comes inside an event', async (t) => {
    const { client, upstream } = await begin(t);
    const event = chatEvent('whole');
    upstream.write(streamHead + chunk(event.slice(0, 20)));
    const reading = client.response();
    await sleep(200);
    upstream.write(chunk(event.slice(20)) + chunk(done) + '0\r\n\r\n');
    const text = (await reading).text;
    assert.ok(text.includes(event), text);
  });

  test('a route may switch comments off', async (t) => {
    const { client, upstream } = await begin(t, { headers: { 'x-quiet': 'yes' } });
    upstream.write(streamHead);
    const reading = client.response();
    await sleep(200);
    upstream.write(chunk(done) + '0\r\n\r\n');
    assert.equal((await reading).text, done);
  });

  test('an answer that is no event stream gets no comments', async (t) => {
    const { client, upstream } = await begin(t, { stream: false });
    upstream.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{"a":');
    const reading = client.response();
    await sleep(200);
    upstream.write('1234}');
    assert.equal((await reading).text, '{"a":1234}');
  });
});

describe('a stream that breaks ends with an error event and without [DONE]', () => {
  const cases = {
    'reset-after=3': 'connection_reset',
    'cut-after=3': /connection_closed|truncated|connection_reset/,
    'truncate-after=3': 'truncated',
  };
  for (const [fault, code] of Object.entries(cases)) {
    test(fault, async () => {
      const { response, said } = await streamed(question('hello'), { 'x-mock-fault': fault });
      assert.equal(response.status, 200);
      assert.equal(said.done, false);
      assert.equal(said.rest, '');
      assert.match(said.error?.code ?? 'none', code instanceof RegExp ? code : new RegExp(`^${code}$`));
      assert.equal(said.error.type, 'server_error');
      assert.ok(said.error.message.length > 10);
      const row = await logOf(response);
      assert.deepEqual([row.outcome, row.code], ['broken', said.error.code]);
    });
  }

  test('one that only lacks its end mark is whole, and none is made up', async () => {
    const { response, said } = await streamed(question('hello'), { 'x-mock-fault': 'no-done' });
    assert.deepEqual([said.done, said.error, said.finish], [false, undefined, 'stop']);
    assert.equal((await logOf(response)).outcome, 'ok');
  });
  test('an error event of the upstream passes as it is', async () => {
    const { response, said } = await streamed(question('hello'), { 'x-mock-fault': 'error-event-after=3' });
    assert.match(said.error.message, /mock fault/);
    assert.equal(said.done, false);
    assert.notEqual((await logOf(response)).outcome, 'ok');
  });
  test('an event that is no JSON passes, and what follows too', async () => {
    const { said } = await streamed(question('hello'), { 'x-mock-fault': 'malformed-after=3' });
    assert.ok(said.malformed);
    assert.ok(said.done);
  });
  test('a stream of the process\'s own mock', async () => {
    const { said } = await streamed({ ...question('x'), model: 'inside/m' }, { 'x-mock-fault': 'cut-after=3' });
    assert.equal(said.done, false);
    assert.ok(said.error);
  });
  test('the connection to the client stays usable after it', async (t) => {
    const client = await RawClient.connect(gateway.port);
    onEnd(t, () => client.close());
    const broken = await client.send(chatRequest({ ...question('x'), stream: true }, { 'x-mock-fault': 'cut-after=3' })).response();
    assert.ok(readChat(broken.text).error);
    if (client.ended || broken.get('connection') === 'close') return;
    assert.equal((await client.send(chatRequest(question('y'))).response()).status, 200);
  });
  test('an answer that is not streamed breaks visibly', async (t) => {
    for (const fault of ['reset-after=1', 'cut-after=1']) {
      const client = await RawClient.connect(gateway.port);
      onEnd(t, () => client.close());
      const response = await client.send(chatRequest(question('hello'), { 'x-mock-fault': fault })).response();
      assert.ok(response.status >= 500 || !response.complete, `${fault}: ${response.status}`);
    }
  });
});

describe('a client that leaves', () => {
  async function leave(t, how) {
    const id = `left-${how}-${Math.random()}`;
    const before = await mock.stats();
    const client = await RawClient.connect(gateway.port);
    const headers = { 'x-request-id': id, 'x-mock-between-tokens': '10ms', 'x-mock-tokens': '5000' };
    client.send(chatRequest({ ...question('hello'), stream: true }, headers));
    await client.until('data: ');
    await eventually(async () => (await gateway.streams()).some((one) => one.request_id === id), 'the stream being listed');
    await client.until('data: ');
    if (how === 'reset') client.reset();
    else client.close();
    await eventually(async () => (await mock.stats()).cancelled_streams > before.cancelled_streams, 'the upstream call ending');
    const row = await gateway.logged(id);
    assert.deepEqual([row.outcome, row.status, row.stream], ['client_gone', 200, true]);
    assert.equal(row.tokens.estimated, true);
    assert.ok(row.tokens.completion > 0 && row.tokens.completion < 2000, JSON.stringify(row.tokens));
    assert.ok(row.tokens.prompt > 0);
    assert.ok(!(await gateway.streams()).some((one) => one.request_id === id));
  }
  test('in order', (t) => leave(t, 'close'));
  test('by a reset', (t) => leave(t, 'reset'));

  test('with another request already sent', async (t) => {
    const before = (await mock.stats()).cancelled_streams;
    const client = await RawClient.connect(gateway.port);
    onEnd(t, () => client.close());
    const slow = { 'x-mock-between-tokens': '10ms', 'x-mock-tokens': '5000' };
    client.send(Buffer.concat([chatRequest({ ...question('x'), stream: true }, slow), request('GET', '/v1/models')]));
    await client.until('data: ');
    client.close();
    await eventually(async () => (await mock.stats()).cancelled_streams > before, 'the upstream call ending');
  });

  test('before the first byte of the answer', async (t) => {
    const id = `early-${Math.random()}`;
    const { client, upstream } = await begin(t, { headers: { 'x-request-id': id } });
    const closed = new Promise((resolve) => upstream.once('close', resolve));
    client.close();
    await closed;
    assert.equal((await gateway.logged(id)).outcome, 'client_gone');
  });

  test('while it still uploads', async () => {
    const upstream = await startUpstream();
    const client = await RawClient.connect(gateway.port);
    const before = hands.connections;
    client.send('POST /providers/hands/v1/files HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\nabc');
    await eventually(() => [...hands.sockets].length > 0 && hands.connections >= before);
    await sleep(50);
    const open = [...hands.sockets];
    client.close();
    await eventually(() => open.some((socket) => socket.destroyed), 'the upload being given up');
    assert.equal(upstream.requests.length, 0);
  });
});

test('a client that does not read stops the upstream from being read', async (t) => {
  const { client, upstream } = await begin(t, { headers: { 'x-quiet': 'yes' } });
  client.socket.pause();
  upstream.write(streamHead);
  const event = chatEvent('x'.repeat(16_000));
  const piece = chunk(event);
  let written = 0;
  let taken = 0;
  const limit = 64 * 1024 * 1024;
  // Writes until nothing is taken any more.
  for (let still = 0; still < 20 && written < limit; ) {
    if (upstream.writableNeedDrain) {
      await sleep(25);
      still += upstream.bytesWritten - upstream.writableLength === taken ? 1 : -still;
      taken = upstream.bytesWritten - upstream.writableLength;
      continue;
    }
    upstream.write(piece);
    written += piece.length;
  }
  assert.ok(written < limit, 'the upstream was stopped');
  // Socket buffers of four ends, of which the gateway's share is bounded.
  assert.ok(taken < 16 * 1024 * 1024, `${taken} bytes were taken for a client that reads nothing`);
  client.socket.resume();
  const reading = client.response();
  await eventually(() => upstream.writableLength === 0, 'the rest flowing');
  upstream.write(chunk(done) + '0\r\n\r\n');
  const response = await reading;
  assert.ok(response.complete);
  assert.equal(readChat(response.text).text.length, (written / piece.length) * 16_000);
});

test('answers keep their order and borders on one connection, streamed and not', async (t) => {
  const client = await RawClient.connect(gateway.port);
  onEnd(t, () => client.close());
  for (let i = 0; i < 5; ++i) {
    const stream = i % 2 === 0;
    const response = await client.send(chatRequest({ ...question(`q${i}`), stream })).response();
    assert.equal(response.status, 200);
    if (stream) assert.ok(readChat(response.text).done);
    else assert.equal(response.json.object, 'chat.completion');
  }
});

test('an upstream answer without chunks or length ends where its connection does', async (t) => {
  const { client, upstream } = await begin(t);
  upstream.end(`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n${chatEvent('a')}${done}`);
  const said = readChat((await client.response()).text);
  assert.deepEqual([said.text, said.done], ['a', true]);
});

test('interim answers of the upstream are no answers', async (t) => {
  const { client, upstream } = await begin(t, { stream: false });
  upstream.write('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n' + answer(200, { 'content-type': 'application/json' }, '{"a":1}'));
  let response = await client.response();
  if (response.status < 200) response = await client.response();
  assert.deepEqual([response.status, response.text], [200, '{"a":1}']);
});
