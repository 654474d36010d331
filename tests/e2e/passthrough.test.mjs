// Bytes that need no change are not changed, and credentials stay on their side.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { Gateway } from '../lib/gateway.mjs';
import { chatRequest, request, roundTrip } from '../lib/raw.mjs';
import { startUpstream } from '../lib/upstream.mjs';

// Odd but valid JSON: spelling of numbers, order and repetition of keys, escapes, white space, unknown fields.
const oddAnswer =
  '{ "id":"c", "unknown":{"a":1e2,"b":1.50,"c":-0.0,"d":12345678901234567890123},\r\n\t"choices":[{"index":0,"message":' +
  '{"role":"assistant","content":"\\u00e9\\ud83d\\ude00 é\\/"},"finish_reason":"stop","extra":null}],"choices2":[],' +
  '"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"new_details":{"x":[1 , 2]}} , "id":"again" }\n';
const oddStream =
  'data: {"choices":[{"index":0,"delta":{"content":"a","unknown":1.0}}],"x":1E+2}\n\n' +
  ': a comment\n\nevent: odd\nid: 7\nretry: 10\ndata: {"choices":[],\ndata: "y":2}\n\n' +
  'data:{"choices":[{"index":0,"delta":{"content":"é"},"finish_reason":"stop"}]}\r\n\r\ndata: [DONE]\n\n';

const upstream = await startUpstream(undefined, (incoming, response, body) => {
  if (incoming.url.startsWith('/v1/error')) {
    response.writeHead(418, 'I am a teapot', { 'content-type': 'text/plain', 'x-detail': 'tea' });
    return response.end('short and stout');
  }
  response.setHeader('x-ratelimit-remaining-requests', '59');
  response.setHeader('set-cookie', ['a=1; Path=/', 'b=2']);
  response.setHeader('openai-processing-ms', '17');
  response.setHeader('connection', 'keep-alive, x-hop');
  response.setHeader('x-hop', 'only for the next');
  if (body.includes('"stream":true')) {
    response.setHeader('content-type', 'text/event-stream');
    return response.end(oddStream);
  }
  response.setHeader('content-type', 'application/json');
  response.end(oddAnswer);
});
const secret = 'sk-provider-Zx81Qq';
const gateway = await Gateway.start(undefined, {
  providers: {
    keyed: { type: 'openai', base_url: upstream.base, api_key: secret, headers: { 'openai-organization': 'org-7' } },
    keyless: { type: 'openai', base_url: upstream.base },
    client: { type: 'openai', base_url: upstream.base, api_key: 'client' },
    several: { type: 'openai', base_url: upstream.base, api_keys: ['k-1', 'k-2', 'k-3'] },
  },
});
const last = () => upstream.requests.at(-1);

async function sent(text, headers = {}, path = '/v1/chat/completions') {
  const response = await gateway.chat(text, { headers, path });
  return { response, text: await response.text(), upstream: last() };
}

describe('request bodies', () => {
  test('only the model name changes', async () => {
    const around = ['{ "stream" : false,"n":1.0, "big":123456789012345678901234567890,"é":"\\u00e9\\/",\r\n"model" : "', '","messages":[ ] ,"x":{"model":"keyed/inner"}, "x":2}\n'];
    const got = await sent(around.join('keyed/gpt-4o'));
    assert.equal(got.upstream.body.toString(), around.join('gpt-4o'));
    assert.equal(got.upstream.headers['content-length'], String(Buffer.byteLength(around.join('gpt-4o'))));
  });
  test('a drop-in path changes nothing at all', async () => {
    const text = '{"model":"gpt-4o","messages":[],"stream":false ,"y":1e400}';
    const got = await sent(text, {}, '/providers/keyed/v1/chat/completions');
    assert.equal(got.upstream.body.toString(), text);
  });
  test('asking a stream for its usage adds just that', async () => {
    const text = '{"model":"keyed/m","stream":true,"messages":[],"z":0.10}';
    const got = JSON.parse((await sent(text)).upstream.body);
    assert.deepEqual(got, { model: 'm', stream: true, messages: [], z: 0.1, stream_options: { include_usage: true } });
    const kept = (await sent('{"model":"keyed/m","stream":true,"stream_options":{"other":1.0},"messages":[]}')).upstream;
    assert.match(kept.body.toString(), /"other":1\.0/);
    assert.equal(JSON.parse(kept.body).stream_options.include_usage, true);
    const asked = '{"model":"keyed/m","stream":true,"stream_options":{"include_usage":true},"messages":[]}';
    assert.equal((await sent(asked)).upstream.body.toString(), asked.replace('keyed/m', 'm'));
  });
  test('bytes that are no JSON pass as they are', async () => {
    const bytes = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256));
    const response = await fetch(`${gateway.url}/providers/keyed/v1/audio/transcriptions`, {
      method: 'POST', headers: { 'content-type': 'audio/wav' }, body: bytes,
    });
    assert.equal(response.status, 200);
    assert.ok(last().body.equals(bytes));
    assert.equal(last().headers['content-type'], 'audio/wav');
  });
  test('the media type may have parameters and capitals', async () => {
    for (const type of ['application/json; charset=utf-8', 'Application/JSON', 'application/vnd.api+json']) {
      assert.equal((await sent('{"model":"keyed/m","messages":[]}', { 'content-type': type })).response.status, 200, type);
      assert.equal(JSON.parse(last().body).model, 'm');
    }
  });
  test('a deep body is no danger', async () => {
    for (const depth of [900, 100_000]) {
      const nested = `${'['.repeat(depth)}${']'.repeat(depth)}`;
      const { response } = await sent(`{"model":"keyed/m","x":${nested}}`);
      assert.ok([200, 400].includes(response.status), String(response.status));
    }
  });
  test('a body that is no JSON where JSON is expected is refused, not forwarded', async () => {
    const before = upstream.requests.length;
    for (const text of ['{"model":', 'nonsense', '[]', '', '{"model":"keyed/m"} trailing', '{"model":"keyed/m","a":"\xff']) {
      const response = await gateway.chat(text);
      assert.equal(response.status, 400, text);
      const { error } = await response.json();
      assert.equal(error.code, 'bad_request', text);
      assert.equal(error.type, 'invalid_request_error');
      assert.ok(error.message.length > 10);
    }
    assert.equal(upstream.requests.length, before);
  });
});

describe('answers', () => {
  test('an odd answer byte for byte', async () => {
    assert.equal((await sent('{"model":"keyed/m","messages":[]}')).text, oddAnswer);
  });
  test('an odd stream byte for byte, if nothing is hidden in it', async () => {
    const got = await sent('{"model":"keyed/m","messages":[],"stream":true,"stream_options":{"include_usage":true}}');
    assert.equal(got.text, oddStream);
  });
  test('headers of the answer, but not those between neighbours', async () => {
    const response = await roundTrip(gateway.port, chatRequest({ model: 'keyed/m', messages: [] }));
    assert.equal(response.get('x-ratelimit-remaining-requests'), '59');
    assert.equal(response.get('openai-processing-ms'), '17');
    assert.deepEqual(response.headers.filter(([name]) => name === 'set-cookie').map(([, value]) => value), ['a=1; Path=/', 'b=2']);
    assert.equal(response.get('x-hop'), undefined);
    assert.equal(response.get('content-length'), String(Buffer.byteLength(oddAnswer)));
  });
  test('an error of the upstream with status, headers and body', async () => {
    const response = await fetch(`${gateway.url}/providers/keyed/v1/error`);
    assert.equal(response.status, 418);
    assert.equal(response.headers.get('content-type'), 'text/plain');
    assert.equal(response.headers.get('x-detail'), 'tea');
    assert.equal(await response.text(), 'short and stout');
  });
});

describe('headers of the request', () => {
  test('the client\'s own go on, those between neighbours do not', async () => {
    const headers = {
      'X-Custom': 'a, b', 'User-Agent': 'app/1', 'OpenAI-Beta': 'assistants=v2', Accept: 'text/x', Connection: 'x-private, keep-alive',
      'X-Private': '1', TE: 'trailers', 'Proxy-Authorization': 'Basic x', 'Keep-Alive': 'timeout=5', 'X-Forwarded-For': '10.0.0.1',
    };
    await roundTrip(gateway.port, request('GET', '/providers/keyed/v1/files', headers));
    const got = last().headers;
    assert.equal(got['x-custom'], 'a, b');
    assert.equal(got['user-agent'], 'app/1');
    assert.equal(got['openai-beta'], 'assistants=v2');
    assert.equal(got.accept, 'text/x');
    assert.equal(got.host, `127.0.0.1:${upstream.port}`);
    for (const name of ['x-private', 'te', 'proxy-authorization', 'keep-alive', 'x-forwarded-for', 'upgrade']) {
      assert.equal(got[name], undefined, name);
    }
  });
  test('a query goes on, but not a key in it', async () => {
    await fetch(`${gateway.url}/providers/keyed/v1/files?limit=2&key=sk-client&after=%2Fx`);
    assert.equal(last().url, '/v1/files?limit=2&after=%2Fx');
  });
});

describe('credentials', () => {
  const ofClient = { authorization: 'Bearer sk-client', 'x-api-key': 'sk-client', 'api-key': 'sk-client', 'x-goog-api-key': 'sk-client', cookie: 'session=sk-client' };
  const ask = async (provider, headers = ofClient) => {
    await (await fetch(`${gateway.url}/providers/${provider}/v1/files`, { headers })).text();
    return last();
  };
  test('the provider gets its own key and no other', async () => {
    const got = await ask('keyed');
    assert.equal(got.headers.authorization, `Bearer ${secret}`);
    assert.equal(got.headers['openai-organization'], 'org-7');
    assert.ok(!JSON.stringify(got.rawHeaders).includes('sk-client'));
  });
  test('the client cannot set what the provider\'s headers say', async () => {
    const got = await ask('keyed', { 'openai-organization': 'org-evil' });
    assert.equal(got.headers['openai-organization'], 'org-7');
  });
  test('a provider without a key gets none', async () => {
    const got = await ask('keyless');
    assert.equal(got.headers.authorization, undefined);
    assert.ok(!JSON.stringify(got.rawHeaders).includes('sk-client'));
  });
  test('api_key: client forwards the client\'s own', async () => {
    const got = await ask('client');
    assert.equal(got.headers.authorization, 'Bearer sk-client');
    assert.ok(!JSON.stringify(got.rawHeaders).includes(secret));
  });
  test('several keys are used in turn', async () => {
    const used = new Set();
    for (let i = 0; i < 24; ++i) used.add((await ask('several', {})).headers.authorization);
    assert.deepEqual([...used].sort(), ['Bearer k-1', 'Bearer k-2', 'Bearer k-3']);
  });
});

describe('identity of a request', () => {
  const headersOf = async (headers) => {
    const response = await fetch(`${gateway.url}/providers/keyed/v1/files`, { headers });
    await response.text();
    return { client: response.headers, upstream: last().headers };
  };
  test('x-request-id is kept and goes both ways', async () => {
    const got = await headersOf({ 'x-request-id': 'my-id_1.2' });
    assert.equal(got.client.get('x-request-id'), 'my-id_1.2');
    assert.equal(got.upstream['x-request-id'], 'my-id_1.2');
  });
  test('without one, or with an unusable one, it is made', async () => {
    const ids = new Set();
    for (const headers of [{}, {}, { 'x-request-id': 'x'.repeat(5000) }]) {
      const got = await headersOf(headers);
      const id = got.client.get('x-request-id');
      assert.match(id, /^[\w.-]{8,128}$/);
      assert.equal(got.upstream['x-request-id'], id);
      ids.add(id);
    }
    assert.equal(ids.size, 3);
  });
  test('traceparent is carried on with the same trace', async () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const got = await headersOf({ traceparent: `00-${trace}-00f067aa0ba902b7-01`, tracestate: 'vendor=1' });
    assert.match(got.upstream.traceparent, new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
    assert.ok(!got.upstream.traceparent.includes('00f067aa0ba902b7'), 'a span of our own');
    assert.equal(got.upstream.tracestate, 'vendor=1');
  });
  test('a broken traceparent is not carried on', async () => {
    for (const traceparent of ['garbage', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`]) {
      const got = await headersOf({ traceparent });
      assert.notEqual(got.upstream.traceparent, traceparent);
    }
  });
});

test('a large body of a chat is the same on the other side', async () => {
  const text = JSON.stringify({ model: 'keyed/m', messages: [{ role: 'user', content: 'ü'.repeat(3_000_000) }] });
  await sent(text);
  const hash = (data) => createHash('sha256').update(data).digest('hex');
  assert.equal(hash(last().body), hash(text.replace('keyed/m', 'm')));
});
