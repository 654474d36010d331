// TLS on both sides.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import WebSocket, { WebSocketServer } from 'ws';
import https from 'node:https';
import { once } from 'node:events';
import { Authority, read } from '../lib/certificates.mjs';
import { assertFetchError } from '../lib/errors.mjs';
import { Gateway, Mock, question } from '../lib/gateway.mjs';
import { onEnd, sleep, temporaryDirectory, within } from '../lib/process.mjs';
import { RawClient, chatRequest, request } from '../lib/raw.mjs';
import { readChat } from '../lib/sse.mjs';
import { startUpstream } from '../lib/upstream.mjs';

const directory = temporaryDirectory();
const authority = new Authority(directory);
const other = new Authority(directory, 'other');
const first = authority.issue('first', 'first.example', 'IP:127.0.0.1');
const second = authority.issue('second', 'second.example', '*.second.example');

const mock = await Mock.start();
const upstream = await startUpstream(undefined, undefined, { tls: read(authority.issue('upstream', 'IP:127.0.0.1', 'localhost')) });
const wrongName = await startUpstream(undefined, undefined, { tls: read(authority.issue('wrong', 'elsewhere.example')) });
const needsClient = await startUpstream(undefined, (incoming, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ who: incoming.socket.getPeerCertificate().subject?.CN ?? null }));
}, { tls: { ...read(authority.issue('strict', 'IP:127.0.0.1')), ca: authority.pem, requestCert: true, rejectUnauthorized: true } });
const ours = authority.issue('ours', 'sluice.client');

const trusted = { ca_file: authority.file };
const config = {
  listen: [{ address: '127.0.0.1:0', tls: [first, second] }],
  keep_alive_comment: 'off',
  providers: {
    mock: { type: 'openai', base_url: mock.base },
    good: { type: 'openai', base_url: upstream.base, tls: trusted },
    system: { type: 'openai', base_url: upstream.base },
    stranger: { type: 'openai', base_url: upstream.base, tls: { ca_file: other.file } },
    wrong: { type: 'openai', base_url: wrongName.base, tls: trusted },
    blind: { type: 'openai', base_url: wrongName.base, tls: { verify: false } },
    mutual: { type: 'openai', base_url: needsClient.base, tls: { ...trusted, ...ours } },
    anonymous: { type: 'openai', base_url: needsClient.base, tls: trusted },
    plain: { type: 'openai', base_url: mock.base.replace('http:', 'https:'), tls: trusted },
  },
};
const gateway = await Gateway.start(undefined, config);
const secure = (options = {}) => ({ tls: { ca: authority.pem, servername: 'first.example', ...options } });

async function connect(t, options) {
  const client = await RawClient.connect(gateway.port, secure(options));
  onEnd(t, () => client.close());
  return client;
}

describe('listening', () => {
  test('a request and a stream', async (t) => {
    const client = await connect(t);
    assert.equal(client.socket.authorized, true);
    assert.equal((await client.send(request('GET', '/v1/models')).response()).status, 200);
    const stream = await client.send(chatRequest({ ...question('hi'), stream: true })).response();
    assert.ok(readChat(stream.text).done);
  });
  test('the server name chooses the certificate', async (t) => {
    const names = {
      'first.example': 'first.example',
      'second.example': 'second.example',
      'a.second.example': 'second.example',
      'unknown.example': 'first.example',
    };
    for (const [servername, expected] of Object.entries(names)) {
      const client = await connect(t, { servername, checkServerIdentity: () => undefined });
      assert.equal(client.socket.getPeerCertificate().subject.CN, expected, servername);
    }
    const nameless = await connect(t, { servername: undefined, checkServerIdentity: () => undefined });
    assert.equal(nameless.socket.getPeerCertificate().subject.CN, 'first.example');
  });
  test('ALPN agrees on http/1.1', async (t) => {
    const client = await connect(t, { ALPNProtocols: ['h2', 'http/1.1'] });
    assert.equal(client.socket.alpnProtocol, 'http/1.1');
    assert.equal((await client.send(request('GET', '/v1/models')).response()).status, 200);
  });
  test('TLS 1.2 and 1.3, and nothing older', async (t) => {
    for (const version of ['TLSv1.2', 'TLSv1.3']) {
      const client = await connect(t, { minVersion: version, maxVersion: version });
      assert.equal(client.socket.getProtocol(), version);
    }
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
    await assert.rejects(connect(t, old));
  });
  test('a session is resumed', async (t) => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
      const one = await connect(t, { maxVersion });
      const session = maxVersion === 'TLSv1.2' ? one.socket.getSession() : within(once(one.socket, 'session'), 'a ticket').then(([s]) => s);
      await one.send(request('GET', '/v1/models')).response();
      const two = await connect(t, { maxVersion, session: await session });
      assert.equal(two.socket.isSessionReused(), true, maxVersion);
      assert.equal((await two.send(request('GET', '/v1/models')).response()).status, 200);
    }
  });
  test('a WebSocket', async (t) => {
    const server = new WebSocketServer({ server: https.createServer(read(authority.issue('ws', 'IP:127.0.0.1'))) });
    server.options.server.listen(0, '127.0.0.1');
    await once(server.options.server, 'listening');
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    onEnd(t, () => {
      server.close();
      server.options.server.close();
    });
    const base_url = `https://127.0.0.1:${server.options.server.address().port}/v1`;
    const both = await Gateway.start(t, { ...config, providers: { live: { type: 'openai', base_url, tls: trusted } } });
    const socket = new WebSocket(`wss://127.0.0.1:${both.port}/v1/realtime?model=x`, { ca: authority.pem });
    onEnd(t, () => socket.terminate());
    await within(once(socket, 'open'), 'opening');
    socket.send('ping');
    assert.equal((await within(once(socket, 'message'), 'the echo'))[0].toString(), 'ping');
  });
  test('plain HTTP on a TLS port, and rubbish, end the connection and nothing else', async (t) => {
    for (const bytes of ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', '\x16\x03\x01\xff\xff' + 'x'.repeat(100), '\0'.repeat(1000)]) {
      const client = await RawClient.connect(gateway.port);
      onEnd(t, () => client.close());
      const got = await client.send(bytes).finishSending().rest();
      assert.ok(!got.toString('latin1').includes(' 200 '));
    }
    assert.equal((await (await connect(t)).send(request('GET', '/v1/models')).response()).status, 200);
  });
  test('a client that stops in its handshake does not hold anything up', async (t) => {
    const idle = await Promise.all(Array.from({ length: 10 }, () => RawClient.connect(gateway.port)));
    for (const client of idle) onEnd(t, () => client.close());
    assert.equal((await (await connect(t)).send(request('GET', '/v1/models')).response()).status, 200);
  });
  test('an end of the answer is an end in TLS too', async (t) => {
    const client = await connect(t);
    client.send(request('GET', '/v1/models', { Connection: 'close' }));
    await client.response();
    await client.rest();
    assert.equal(client.ended, 'end');
  });
  test('a large answer over TLS is whole', async (t) => {
    const client = await connect(t);
    const response = await client.send(request('GET', '/providers/mock/v1/files/abc/content?bytes=20MiB')).response();
    assert.ok(response.complete);
    assert.equal(response.body.length, 20 * 1024 * 1024);
  });
});

describe('certificates change with the configuration', () => {
  test('new connections get the new one, old connections go on', async (t) => {
    const files = authority.issue('rotating', 'before.example', 'IP:127.0.0.1');
    const own = { ...config, listen: [{ address: '127.0.0.1:0', tls: [files] }] };
    const rotating = await Gateway.start(t, own);
    const nameOf = (client) => client.socket.getPeerCertificate().subject.CN;
    const open = () => RawClient.connect(rotating.port, secure({ servername: undefined, checkServerIdentity: () => undefined }));
    const before = await open();
    onEnd(t, () => before.close());
    assert.equal(nameOf(before), 'before.example');
    const next = authority.issue('next', 'after.example');
    writeFileSync(files.cert, readFileSync(next.cert));
    writeFileSync(files.key, readFileSync(next.key));
    assert.equal((await rotating.reload()).status, 200);
    const after = await open();
    onEnd(t, () => after.close());
    assert.equal(nameOf(after), 'after.example');
    assert.equal((await before.send(request('GET', '/v1/models')).response()).status, 200);
  });
  test('a broken one changes nothing and is named', async (t) => {
    const files = authority.issue('breaking', 'fine.example', 'IP:127.0.0.1');
    const own = await Gateway.start(t, { ...config, listen: [{ address: '127.0.0.1:0', tls: [files] }] });
    writeFileSync(files.cert, 'no certificate');
    const result = await own.reload();
    assert.equal(result.status, 422);
    assert.match(result.body.problems.join('\n'), /breaking\.pem/);
    const client = await RawClient.connect(own.port, secure({ servername: undefined, checkServerIdentity: () => undefined }));
    onEnd(t, () => client.close());
    assert.equal((await client.send(request('GET', '/v1/models')).response()).status, 200);
  });
});

describe('towards providers', () => {
  async function ask(provider) {
    const response = await new Promise((resolve, reject) => {
      https.get(`https://127.0.0.1:${gateway.port}/providers/${provider}/v1/files`, { ca: authority.pem }, resolve).on('error', reject);
    });
    const body = Buffer.concat(await response.toArray()).toString();
    return new Response(body, { status: response.statusCode, headers: { 'content-type': response.headers['content-type'] } });
  }
  const refused = async (provider, message) => {
    await assertFetchError(await ask(provider), { status: 502, code: 'tls_failed', message });
  };

  test('an authority of one\'s own', async () => {
    assert.equal((await ask('good')).status, 200);
    const before = upstream.connections;
    for (let i = 0; i < 6; ++i) assert.equal((await ask('good')).status, 200);
    assert.ok(upstream.connections - before <= 1, 'connections are kept');
  });
  test('an authority that the system does not know is refused', () => refused('system', /certificate|issuer/i));
  test('another authority is refused', () => refused('stranger', /certificate|issuer/i));
  test('a certificate for another name is refused', () => refused('wrong', /name|host|127\.0\.0\.1|IP address mismatch/i));
  test('verification can be switched off', async () => assert.equal((await ask('blind')).status, 200));
  test('a client certificate', async () => assert.deepEqual(await (await ask('mutual')).json(), { who: 'sluice.client' }));
  test('without it the upstream refuses', async () => {
    const response = await ask('anonymous');
    const { error } = await response.json();
    assert.equal(response.status, 502);
    assert.match(error.code, /tls_failed|connection_reset|connection_closed/);
  });
  test('an upstream that does not speak TLS', async () => {
    await refused('plain', /\w+ \w+/);
  });
  test('nothing of it is sent before the certificate is checked', async () => {
    const before = wrongName.requests.length;
    await ask('wrong');
    await sleep(50);
    assert.equal(wrongName.requests.length, before);
  });
});
