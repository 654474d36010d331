// Requests that two parsers might read differently, and other nonsense: refused, the connection closed, and nothing of
// it reaches a provider.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertError } from '../lib/errors.mjs';
import { Gateway } from '../lib/gateway.mjs';
import { eventually, onEnd } from '../lib/process.mjs';
import { RawClient, chatRequest } from '../lib/raw.mjs';
import { startBytes } from '../lib/upstream.mjs';

let reached = '';
const upstream = await startBytes(undefined, (socket) => {
  socket.on('data', (data) => {
    reached += data.toString('latin1');
    if (reached.includes('\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}');
  });
});
const gateway = await Gateway.start(undefined, { providers: { up: { type: 'openai', base_url: upstream.base } } });

const body = '{"model":"m","messages":[]}';
const smuggled = 'GET /v1/smuggled HTTP/1.1\r\nHost: gateway.test\r\n\r\n';
const chat = 'POST /v1/chat/completions HTTP/1.1\r\nHost: gateway.test\r\nContent-Type: application/json\r\n';
const withFields = (fields, content = body) => `${chat}${fields}\r\n${content}${smuggled}`;
const chunked = (content) => withFields('Transfer-Encoding: chunked\r\n', content);
const one = `1b\r\n${body}\r\n`;
const get = (line, fields = 'Host: gateway.test\r\n') => `${line}\r\n${fields}\r\n${smuggled}`;

const framing = {
  'length and chunks': withFields('Content-Length: 27\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n`),
  'chunks and length': withFields('Transfer-Encoding: chunked\r\nContent-Length: 27\r\n', `0\r\n\r\n`),
  'length and a coding that is none': withFields('Content-Length: 27\r\nTransfer-Encoding: identity\r\n'),
  'two lengths': withFields('Content-Length: 27\r\nContent-Length: 28\r\n'),
  'the same length twice': withFields('Content-Length: 27\r\nContent-Length: 27\r\n'),
  'a list of lengths': withFields('Content-Length: 27, 27\r\n'),
  'a signed length': withFields('Content-Length: +27\r\n'),
  'a negative length': withFields('Content-Length: -27\r\n'),
  'a hexadecimal length': withFields('Content-Length: 0x1b\r\n'),
  'a length with a space inside': withFields('Content-Length: 2 7\r\n'),
  'an empty length': withFields('Content-Length:\r\n'),
  'a length with a tail': withFields('Content-Length: 27;x\r\n'),
  'a length beyond 64 bits': withFields('Content-Length: 18446744073709551643\r\n'),
  'a length of many digits': withFields(`Content-Length: ${'9'.repeat(200)}\r\n`),
  'a length with a decimal point': withFields('Content-Length: 27.0\r\n'),
  'two transfer codings': [withFields('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), [400, 501]],
  'chunked twice': [withFields('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'), [400, 501]],
  'chunked and something else': [withFields('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'), [400, 501]],
  'an unknown coding': [withFields('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'), [400, 501]],
  'chunked with a parameter': [withFields('Transfer-Encoding: chunked;q=1\r\n', '0\r\n\r\n'), [400, 501]],
  'chunked in quotes': [withFields('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n'), [400, 501]],
  'chunked behind a vertical tab': withFields('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n'),
  'gzip': [withFields('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'), [400, 501]],
  'chunks in HTTP/1.0': `${chat.replace('1.1', '1.0')}Transfer-Encoding: chunked\r\n\r\n${one}0\r\n\r\n${smuggled}`,
};
const fields = {
  'a space before the colon': withFields('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'),
  'a space before the colon of a length': withFields('Content-Length : 27\r\n'),
  'a tab before the colon': withFields('Content-Length\t: 27\r\n'),
  'a folded field': withFields('X-Fold: a\r\n b\r\nContent-Length: 27\r\n'),
  'a folded coding': withFields('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'),
  'a fold in the first field': get('GET /v1/models HTTP/1.1', ' Host: gateway.test\r\n'),
  'a bare LF': withFields('X-A: 1\nContent-Length: 27\r\n'),
  'a bare LF at the end of the head': `${chat}Content-Length: 27\n\n${body}${smuggled}`,
  'a bare LF after the request line': 'GET /v1/models HTTP/1.1\nHost: x\r\n\r\n',
  'a bare CR in a value': withFields('X-A: 1\rContent-Length: 27\r\n'),
  'a NUL in a value': withFields('X-A: 1\0 2\r\nContent-Length: 27\r\n'),
  'a NUL in a name': withFields('X-A\0: 1\r\nContent-Length: 27\r\n'),
  'a control character in a value': withFields('X-A: \x01\r\nContent-Length: 27\r\n'),
  'DEL in a value': withFields('X-A: \x7f\r\nContent-Length: 27\r\n'),
  'no colon': withFields('Content-Length 27\r\n'),
  'an empty name': withFields(': 27\r\n'),
  'a space inside a name': withFields('Content Length: 27\r\n'),
  'brackets in a name': withFields('X(A): 27\r\n'),
  'a byte above ASCII in a name': withFields('Content-L\xe9ngth: 27\r\n'),
  'no host': get('GET /v1/models HTTP/1.1', ''),
  'two hosts': get('GET /v1/models HTTP/1.1', 'Host: a.example\r\nHost: b.example\r\n'),
  'a host with a space': get('GET /v1/models HTTP/1.1', 'Host: a b\r\n'),
  'a host with a path': get('GET /v1/models HTTP/1.1', 'Host: a.example/admin\r\n'),
  'a host with a user': get('GET /v1/models HTTP/1.1', 'Host: user@a.example\r\n'),
  'a host with a port that is none': get('GET /v1/models HTTP/1.1', 'Host: a.example:80x\r\n'),
  'an expectation we cannot meet': [withFields('Expect: the-unexpected\r\nContent-Length: 27\r\n'), [417]],
};
const lines = {
  'a target of another host': get('GET http://other.example/v1/models HTTP/1.1'),
  'a target of another port': get('GET http://gateway.test:81/v1/models HTTP/1.1'),
  'a target of another scheme': get('GET ftp://gateway.test/v1/models HTTP/1.1'),
  'a target with a user': get('GET http://u:p@gateway.test/v1/models HTTP/1.1'),
  'a target without a slash': get('GET v1/models HTTP/1.1'),
  'a target with a space': get('GET /v1/mo dels HTTP/1.1'),
  'a target with a fragment': get('GET /v1/models#x HTTP/1.1'),
  'a target with a byte above ASCII': get('GET /v1/mod\xe9ls HTTP/1.1'),
  'a target with a NUL': get('GET /v1/mo\0dels HTTP/1.1'),
  'an asterisk with GET': get('GET * HTTP/1.1'),
  'an empty target': get('GET  HTTP/1.1'),
  'a method with a bracket': get('GE(T /v1/models HTTP/1.1'),
  'no method': get(' /v1/models HTTP/1.1'),
  'CONNECT': get('CONNECT gateway.test:443 HTTP/1.1'),
  'a tab between method and target': get('GET\t/v1/models HTTP/1.1'),
  'two spaces': get('GET  /v1/models HTTP/1.1'),
  'a space after the version': get('GET /v1/models HTTP/1.1 '),
  'HTTP/0.9': [get('GET /v1/models'), [400, 505]],
  'HTTP/1.2': [get('GET /v1/models HTTP/1.2'), [400, 505]],
  'HTTP/1.10': [get('GET /v1/models HTTP/1.10'), [400, 505]],
  'http in small letters': [get('GET /v1/models http/1.1'), [400, 505]],
  'the preface of HTTP/2': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400, 505]],
  'a TLS handshake': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
};
const chunks = {
  'a chunk size that is no number': chunked(`g\r\n${body}\r\n0\r\n\r\n`),
  'a chunk size with a sign': chunked(`+1b\r\n${body}\r\n0\r\n\r\n`),
  'a negative chunk size': chunked(`-1b\r\n${body}\r\n0\r\n\r\n`),
  'a chunk size with 0x': chunked(`0x1b\r\n${body}\r\n0\r\n\r\n`),
  'a chunk size beyond 64 bits': chunked(`1000000000000001b\r\n${body}\r\n0\r\n\r\n`.replace('10000', '100000')),
  'a chunk size of many zeros': chunked(`${'0'.repeat(100)}1b\r\n${body}\r\n0\r\n\r\n`),
  'an empty chunk size': chunked(`\r\n${body}\r\n0\r\n\r\n`),
  'a space before a chunk size': chunked(` 1b\r\n${body}\r\n0\r\n\r\n`),
  'a bare LF after a chunk size': chunked(`1b\n${body}\r\n0\r\n\r\n`),
  'a bare LF after a chunk': chunked(`1b\r\n${body}\n0\r\n\r\n`),
  'a chunk that is longer than it says': chunked(`1a\r\n${body}\r\n0\r\n\r\n`),
  'a chunk that is shorter than it says': chunked(`1c\r\n${body}\r\n0\r\n\r\n`),
  'a huge chunk extension': chunked(`1b;${'x'.repeat(20_000)}\r\n${body}\r\n0\r\n\r\n`),
  'a bare LF in a chunk extension': chunked(`1b;x\n${body}\r\n0\r\n\r\n`),
  'a NUL in a chunk extension': chunked(`1b;\0\r\n${body}\r\n0\r\n\r\n`),
  'a length in the trailers': chunked(`${one}0\r\nContent-Length: 5\r\n\r\n`),
  'a coding in the trailers': chunked(`${one}0\r\nTransfer-Encoding: chunked\r\n\r\n`),
  'a credential in the trailers': chunked(`${one}0\r\nAuthorization: Bearer x\r\n\r\n`),
  'a folded trailer': chunked(`${one}0\r\nX-A: 1\r\n 2\r\n\r\n`),
  'a bare LF in the trailers': chunked(`${one}0\r\nX-A: 1\n\r\n`),
};
const sizes = {
  'more fields than allowed': [withFields(`${'X-A: 1\r\n'.repeat(130)}Content-Length: 27\r\n`), [431]],
  'a field of 100 KB': [withFields(`X-A: ${'x'.repeat(100_000)}\r\nContent-Length: 27\r\n`), [431]],
  'a target of 100 KB': [get(`GET /${'x'.repeat(100_000)} HTTP/1.1`), [414, 431]],
  'a name of 100 KB': [withFields(`${'X'.repeat(100_000)}: 1\r\n`), [431]],
  'a method without an end': ['G'.repeat(100_000), [400, 414, 431]],
  'trailers without an end': [chunked(`${one}0\r\n${'X-A: 1\r\n'.repeat(200)}\r\n`), [413, 431]],
};

async function refuses(t, bytes, statuses, slice) {
  reached = '';
  const before = upstream.connections;
  const client = await RawClient.connect(gateway.port);
  onEnd(t, () => client.close());
  if (!slice) client.send(bytes);
  else for (let at = 0; at < bytes.length; at += slice) client.send(bytes.slice(at, at + slice));
  const response = await client.response();
  assert.ok(statuses.includes(response.status), `status ${response.status}: ${response.text}`);
  const code = [413, 414, 431].includes(response.status) ? 'too_large' : 'bad_request';
  const type = 'invalid_request_error';
  assertError({ status: response.status, body: response.text }, { status: response.status, code, type, message: /\w+ \w+/ });
  assert.equal(response.get('connection'), 'close');
  const rest = await client.rest();
  assert.equal(rest.toString('latin1'), '', 'nothing follows');
  assert.equal(reached, '', 'nothing reaches the provider');
  assert.equal(upstream.connections, before);
}

for (const [group, cases] of Object.entries({ framing, fields, 'request lines': lines, chunks, sizes })) {
  describe(group, () => {
    for (const [name, given] of Object.entries(cases)) {
      const [bytes, statuses] = Array.isArray(given) ? given : [given, [400]];
      test(name, (t) => refuses(t, bytes, statuses));
    }
  });
}

test('the same byte by byte', async (t) => {
  for (const given of [framing['length and chunks'], fields['a bare LF'], lines['two spaces'], chunks['a bare LF after a chunk'], framing['two lengths']]) {
    await refuses(t, given, [400], 1);
  }
});

describe('what is well formed still passes', () => {
  const passes = async (t, bytes) => {
    const client = await RawClient.connect(gateway.port);
    onEnd(t, () => client.close());
    const response = await client.send(bytes).response();
    assert.equal(response.status, 200, response.text);
    return client;
  };
  test('a plain request', (t) => passes(t, chatRequest({ model: 'm', messages: [] })));
  test('chunks with white space after the size, extensions and trailers', (t) =>
    passes(t, `${chat}Transfer-Encoding: chunked\r\n\r\n1B ;a=b;c="d"\r\n${body}\r\n000\r\nX-Trailer: 1\r\n\r\n`));
  test('a coding in capitals and with white space around it', (t) => passes(t, `${chat}transfer-encoding: \t Chunked \t\r\n\r\n${one}0\r\n\r\n`));
  test('a length with white space around and zeros before it', (t) => passes(t, `${chat}Content-Length:\t 0027 \r\n\r\n${body}`));
  test('bytes above ASCII in a value', (t) => passes(t, `${chat}X-Name: Gr\xc3\xb6\xdfe\r\nContent-Length: 27\r\n\r\n${body}`));
  test('a request behind a body is a request', async (t) => {
    const client = await passes(t, `${chat}Content-Length: 27\r\n\r\n${body}${chat}Content-Length: 27\r\n\r\n${body}`);
    assert.equal((await client.response()).status, 200);
  });
});

test('a bad chunk in a body that streams through leaves the provider without a whole request', async (t) => {
  reached = '';
  const client = await RawClient.connect(gateway.port);
  onEnd(t, () => client.close());
  const sockets = new Set(upstream.sockets);
  client.send(`POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n${smuggled}`);
  await client.rest();
  await eventually(() => [...upstream.sockets].every((socket) => sockets.has(socket)) || upstream.sockets.size === 0, 'the connection being dropped');
  assert.ok(!reached.includes('0\r\n\r\n') && !reached.includes('smuggled'), reached);
});

test('what was refused is counted by reason', async () => {
  const metrics = await gateway.metrics();
  const reasons = metrics.find('sluice_rejected_requests_total').map((one) => one.labels.reason);
  for (const reason of ['cl_te', 'bad_content_length', 'bare_lf', 'obs_fold', 'nul', 'host', 'chunk_size', 'header_bytes']) {
    assert.ok(reasons.includes(reason), `${reason} is not among ${reasons}`);
  }
  assert.ok(reasons.length < 40);
});
