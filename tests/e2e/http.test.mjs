// HTTP itself: what clients may do on a connection, and how much.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { describe, test } from 'node:test';
import { assertError } from '../lib/errors.mjs';
import { Gateway, Mock, headerOf, question } from '../lib/gateway.mjs';
import { eventually, onEnd, sanitized, sleep } from '../lib/process.mjs';
import { RawClient, chatRequest, request, roundTrip } from '../lib/raw.mjs';
import { startUpstream } from '../lib/upstream.mjs';

const mock = await Mock.start();
const upstream = await startUpstream(undefined, (incoming, response) => {
  if (incoming.url.endsWith('/nothing')) {
    response.writeHead(204);
    return response.end();
  }
  if (incoming.url.endsWith('/cached')) {
    response.writeHead(304, { etag: '"x"' });
    return response.end();
  }
  response.setHeader('trailer', 'x-sum');
  response.setHeader('content-type', 'text/plain');
  response.write('chunked answer');
  response.addTrailers({ 'x-sum': 'abc' });
  response.end();
});
const config = {
  providers: { mock: { type: 'openai', base_url: mock.base }, up: { type: 'openai', base_url: upstream.base } },
  cors: { origins: ['https://app.example.com'], credentials: true },
  limits: { max_body: '64MiB' },
};
const gateway = await Gateway.start(undefined, config);
const up = (method, target, headers, body) => request(method, `/providers/up/v1${target}`, headers, body);

describe('methods', () => {
  test('HEAD has the head of GET and no body', async (t) => {
    const client = await RawClient.connect(gateway.port);
    onEnd(t, () => client.close());
    const head = await client.send(request('HEAD', '/v1/models')).response({ method: 'HEAD' });
    assert.equal(head.status, 200);
    const get = await client.send(request('GET', '/v1/models')).response();
    assert.equal(get.status, 200, 'the connection is still in step');
    assert.equal(get.get('content-type'), head.get('content-type'));
    if (head.get('content-length')) assert.equal(head.get('content-length'), get.get('content-length'));
  });
  test('HEAD to an upstream', async () => {
    const response = await roundTrip(gateway.port, request('HEAD', '/providers/mock/v1/models', { Connection: 'close' }), { method: 'HEAD' });
    assert.equal(response.status, 200);
    assert.equal((await mock.lastRequest()).method, 'HEAD');
    assert.notEqual(response.get('content-length'), '0', 'what GET would give is not nothing');
  });
  test('answers without a body', async (t) => {
    const client = await RawClient.connect(gateway.port);
    onEnd(t, () => client.close());
    for (const [target, status] of [['/nothing', 204], ['/cached', 304]]) {
      const response = await client.send(up('GET', target)).response();
      assert.equal(response.status, status);
      if (status === 204) assert.equal(response.get('content-length'), undefined);
      assert.equal(response.get('transfer-encoding'), undefined);
    }
    assert.equal((await client.send(up('GET', '/x')).response()).text, 'chunked answer');
  });
  test('other methods reach the provider', async () => {
    for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      await roundTrip(gateway.port, up(method, '/x', {}, method === 'DELETE' ? '' : 'body'));
      assert.equal(upstream.requests.at(-1).method, method);
    }
  });
});

describe('cross-origin requests', () => {
  const origin = 'https://app.example.com';
  const preflight = { Origin: origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization, x-odd' };
  test('a preflight is answered without the upstream', async () => {
    const before = upstream.requests.length;
    const response = await roundTrip(gateway.port, up('OPTIONS', '/x', preflight));
    assert.equal(response.status, 204);
    assert.equal(response.get('access-control-allow-origin'), origin);
    assert.equal(response.get('access-control-allow-credentials'), 'true');
    assert.match(response.get('access-control-allow-methods'), /POST/);
    assert.equal(response.get('access-control-allow-headers'), 'authorization, x-odd');
    assert.equal(response.get('access-control-max-age'), '600');
    assert.equal(upstream.requests.length, before);
  });
  test('an answer, and an error, may be read by the origin', async () => {
    for (const bytes of [chatRequest(question('x'), { Origin: origin }), request('GET', '/nowhere', { Origin: origin })]) {
      const response = await roundTrip(gateway.port, bytes);
      assert.equal(response.get('access-control-allow-origin'), origin);
      assert.match(response.get('vary'), /origin/i);
      assert.match(response.get('access-control-expose-headers'), /x-request-id/);
    }
  });
  test('another origin may not', async () => {
    for (const bytes of [request('GET', '/v1/models', { Origin: 'https://evil.example' }), up('OPTIONS', '/x', { ...preflight, Origin: 'https://evil.example' })]) {
      assert.equal((await roundTrip(gateway.port, bytes)).get('access-control-allow-origin'), undefined);
    }
  });
});

describe('connections', () => {
  test('requests in a row on one connection', async (t) => {
    const client = await RawClient.connect(gateway.port);
    onEnd(t, () => client.close());
    for (let i = 0; i < 20; ++i) {
      const response = await client.send(chatRequest(question(`q${i}`), { 'X-Request-Id': `row-${i}` })).response();
      assert.deepEqual([response.status, response.get('x-request-id')], [200, `row-${i}`]);
    }
  });
  test('pipelined requests are answered in order', async (t) => {
    const client = await RawClient.connect(gateway.port);
    onEnd(t, () => client.close());
    const all = Array.from({ length: 12 }, (_, i) => {
      const slow = i % 3 === 0 ? { 'x-mock-first-token': '30ms' } : {};
      return chatRequest(question(`q${i}`), { 'X-Request-Id': `pipe-${i}`, ...slow });
    });
    client.send(Buffer.concat(all));
    for (let i = 0; i < 12; ++i) assert.equal((await client.response()).get('x-request-id'), `pipe-${i}`);
  });
  test('a request in single bytes, and one whose end and successor share a packet', async (t) => {
    const client = await RawClient.connect(gateway.port);
    onEnd(t, () => client.close());
    for (const byte of request('GET', '/v1/models')) {
      client.send(Buffer.of(byte));
      if (byte === 10) await sleep(1);
    }
    assert.equal((await client.response()).status, 200);
    const two = Buffer.concat([chatRequest(question('a')), request('GET', '/v1/models')]);
    client.send(two.subarray(0, 150));
    await sleep(10);
    client.send(two.subarray(150));
    assert.equal((await client.response()).json.object, 'chat.completion');
    assert.equal((await client.response()).json.object, 'list');
  });
  test('Connection: close is obeyed and said', async (t) => {
    const client = await RawClient.connect(gateway.port);
    onEnd(t, () => client.close());
    const response = await client.send(request('GET', '/v1/models', { Connection: 'close' })).response();
    assert.equal(response.get('connection'), 'close');
    await client.rest();
    assert.equal(client.ended, 'end');
  });
  test('HTTP/1.0 closes, unless keep-alive is asked for', async (t) => {
    const client = await RawClient.connect(gateway.port);
    onEnd(t, () => client.close());
    const keep = await client.send('GET /v1/models HTTP/1.0\r\nConnection: keep-alive\r\n\r\n').response();
    assert.equal(keep.status, 200);
    assert.match(keep.get('connection') ?? '', /keep-alive/i);
    const last = await client.send('GET /v1/models HTTP/1.0\r\n\r\n').response();
    assert.equal(last.status, 200);
    assert.equal(last.get('transfer-encoding'), undefined);
    await client.rest();
    assert.equal(client.ended, 'end');
  });
  test('absolute-form targets, and an empty line before a request', async () => {
    assert.equal((await roundTrip(gateway.port, 'GET http://gateway.test/v1/models HTTP/1.1\r\nHost: gateway.test\r\n\r\n')).status, 200);
    assert.equal((await roundTrip(gateway.port, '\r\nGET /v1/models HTTP/1.1\r\nHost: gateway.test\r\n\r\n')).status, 200);
  });
});

describe('bodies', () => {
  test('chunked, with extensions and trailers', async (t) => {
    const client = await RawClient.connect(gateway.port);
    onEnd(t, () => client.close());
    client.send(up('POST', '/x', { 'Transfer-Encoding': 'chunked', 'Content-Type': 'text/plain', Trailer: 'x-check' }));
    client.send('5;name=value\r\nhello\r\n6;x="y"\r\n world\r\n0\r\nx-check: 42\r\n\r\n');
    const response = await client.response();
    assert.equal(upstream.requests.at(-1).body.toString(), 'hello world');
    assert.equal(upstream.requests.at(-1).trailers['x-check'], '42');
    assert.equal(response.text, 'chunked answer');
    assert.deepEqual(response.trailers, [['x-sum', 'abc']]);
  });
  test('a chunked chat body is measured anew', async () => {
    const text = JSON.stringify(question('chunks'));
    const bytes = Buffer.concat([
      request('POST', '/v1/chat/completions', { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' }),
      Buffer.from(`${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`),
    ]);
    assert.equal((await roundTrip(gateway.port, bytes)).status, 200);
    assert.equal(headerOf(await mock.lastRequest(), 'transfer-encoding'), undefined);
  });
  test('100-continue: the body is asked for when it is wanted', async (t) => {
    const client = await RawClient.connect(gateway.port);
    onEnd(t, () => client.close());
    const text = JSON.stringify(question('x'));
    client.send(request('POST', '/v1/chat/completions', { 'Content-Type': 'application/json', 'Content-Length': text.length, Expect: '100-continue' }));
    assert.equal((await client.response()).status, 100);
    assert.equal((await client.send(text).response()).status, 200);
  });
  test('100-continue: a client that does not wait', async () => {
    const text = JSON.stringify(question('x'));
    const client = await RawClient.connect(gateway.port);
    client.send(request('POST', '/v1/chat/completions', { 'Content-Type': 'application/json', Expect: '100-continue' }, text));
    let response = await client.response();
    if (response.status === 100) response = await client.response();
    assert.equal(response.status, 200);
    client.close();
  });

  const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))[1]);
  const size = 96 * 1024 * 1024;
  test('a large upload streams through', async () => {
    const before = rss();
    const hash = createHash('sha256');
    const block = Buffer.alloc(1 << 20);
    for (let i = 0; i < block.length; ++i) block[i] = (i * 31 + (i >> 8)) & 0xff;
    const outgoing = http.request(`${gateway.url}/providers/mock/v1/files`, {
      method: 'POST', headers: { 'content-type': 'application/octet-stream', 'content-length': size },
    });
    const answered = new Promise((resolve, reject) => outgoing.on('response', resolve).on('error', reject));
    let peak = before;
    for (let sent = 0; sent < size; sent += block.length) {
      block.writeUInt32LE(sent, 0);
      hash.update(block);
      if (!outgoing.write(Buffer.from(block))) await new Promise((resolve) => outgoing.once('drain', resolve));
      peak = Math.max(peak, rss());
    }
    outgoing.end();
    const body = JSON.parse(Buffer.concat(await (await answered).toArray()));
    assert.deepEqual([body.bytes, body.sha256], [size, hash.digest('hex')]);
    if (!sanitized) assert.ok(peak - before < 8 * 1024, `${peak - before} KiB grown`);
  });
  test('a large download streams through', async () => {
    const target = `/v1/files/abc/content?bytes=${size}`;
    const read = async (url, watch = () => {}) => {
      const hash = createHash('sha256');
      let bytes = 0;
      for await (const piece of (await fetch(url)).body) {
        hash.update(piece);
        bytes += piece.length;
        watch();
      }
      return [bytes, hash.digest('hex')];
    };
    const before = rss();
    let peak = before;
    const through = await read(`${gateway.url}/providers/mock${target}`, () => (peak = Math.max(peak, rss())));
    assert.deepEqual(through, await read(mock.url + target));
    assert.equal(through[0], size);
    if (!sanitized) assert.ok(peak - before < 8 * 1024, `${peak - before} KiB grown`);
  });
});

describe('limits', () => {
  test('requests of one connection', async (t) => {
    const limited = await Gateway.start(t, { ...config, limits: { max_requests_per_connection: 3 } });
    const client = await RawClient.connect(limited.port);
    onEnd(t, () => client.close());
    for (let i = 1; i <= 3; ++i) {
      const response = await client.send(request('GET', '/v1/models')).response();
      assert.equal(response.status, 200);
      assert.equal(response.get('connection') === 'close', i === 3);
    }
    await client.rest();
    assert.equal(client.ended, 'end');
  });

  async function crowd(t, limits, reason) {
    const limited = await Gateway.start(t, { ...config, limits });
    const inside = [];
    for (let i = 0; i < 4; ++i) {
      inside.push(await RawClient.connect(limited.port));
      onEnd(t, () => inside[i].close());
      assert.equal((await inside[i].send(request('GET', '/v1/models')).response()).status, 200);
    }
    const refused = await RawClient.connect(limited.port);
    onEnd(t, () => refused.close());
    const response = await refused.response();
    assertError({ status: response.status, body: response.text }, { status: 503, code: 'overloaded', message: /limit.*connections/ });
    assert.equal(response.get('retry-after'), '1');
    assert.equal(response.get('connection'), 'close');
    assert.equal(await limited.metric('sluice_connections_refused_total', { reason }), 1);
    assert.equal((await inside[0].send(request('GET', '/v1/models')).response()).status, 200, 'those inside stay');
    inside[3].close();
    await eventually(async () => {
      const again = await RawClient.connect(limited.port);
      onEnd(t, () => again.close());
      return (await again.send(request('GET', '/v1/models')).response()).status === 200;
    }, 'a place becoming free');
    assert.equal((await fetch(`${limited.admin}/healthz`)).status, 200, 'the admin listener has no part in it');
  }
  test('connections of the process', (t) => crowd(t, { max_connections: 4 }, 'max_connections'));
  test('connections of one client', (t) => crowd(t, { max_connections_per_client: 4 }, 'max_connections_per_client'));

  test('an idle connection is closed', async (t) => {
    const limited = await Gateway.start(t, { ...config, limits: { idle_timeout: '100ms' } });
    const client = await RawClient.connect(limited.port);
    onEnd(t, () => client.close());
    await client.send(request('GET', '/v1/models')).response();
    await client.rest();
    assert.equal(client.ended, 'end');
  });
  test('a header that does not come', async (t) => {
    const limited = await Gateway.start(t, { ...config, limits: { header_timeout: '100ms' } });
    const client = await RawClient.connect(limited.port);
    onEnd(t, () => client.close());
    const response = await client.send('GET /v1/models HTTP/1.1\r\nHost: x\r\n').response();
    assertError({ status: response.status, body: response.text }, { status: 408, code: 'timeout', message: /header/ });
    await client.rest();
    assert.equal(await limited.metric('sluice_rejected_requests_total', { reason: 'slow_header' }), 1);
  });
  test('a header that comes in drips', async (t) => {
    const limited = await Gateway.start(t, { ...config, limits: { header_timeout: '300ms' } });
    const client = await RawClient.connect(limited.port);
    onEnd(t, () => client.close());
    for (const kept of [false, true]) {
      const slow = kept ? await RawClient.connect(limited.port) : client;
      onEnd(t, () => slow.close());
      if (kept) await slow.send(request('GET', '/v1/models')).response();
      slow.send('GET /v1/models HTTP/1.1\r\nHost: x\r\nX-A: ');
      const answered = slow.response();
      for (let i = 0; i < 40 && slow.buffer.length === 0 && !slow.ended; ++i) {
        await sleep(50);
        slow.send('x');
      }
      assert.ok(slow.ended || slow.buffer.length > 0, `${kept ? 'a later' : 'the first'} request of a connection may drip for ever`);
      assert.equal((await answered).status, 408);
    }
  });
  test('a body that does not come', async (t) => {
    const limited = await Gateway.start(t, { ...config, limits: { body_timeout: '100ms', min_body_rate: '1KiB' } });
    const client = await RawClient.connect(limited.port);
    onEnd(t, () => client.close());
    client.send('POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{');
    const response = await client.response();
    assertError({ status: response.status, body: response.text }, { status: 408, code: 'timeout', message: /body/ });
    await client.rest();
    assert.equal(await limited.metric('sluice_rejected_requests_total', { reason: 'slow_body' }), 1);
  });
  test('a client that takes nothing is given up', async (t) => {
    const limited = await Gateway.start(t, { ...config, limits: { write_stall_timeout: '200ms' } });
    const client = await RawClient.connect(limited.port, { readable: false });
    onEnd(t, () => client.close());
    client.socket.pause();
    const cancelled = limited.accessLog().length;
    client.send(request('GET', '/providers/mock/v1/files/x/content?bytes=1GiB', { 'X-Request-Id': 'stalled' }));
    const row = await limited.logged('stalled');
    assert.equal(row.outcome, 'client_gone');
    assert.ok(row.bytes_out < 64 * 1024 * 1024, `${row.bytes_out}`);
    assert.ok(limited.accessLog().length > cancelled);
  });
});
