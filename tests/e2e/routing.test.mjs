// Which provider a request goes to, and under which model name.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertFetchError } from '../lib/errors.mjs';
import { Gateway } from '../lib/gateway.mjs';
import { startUpstream } from '../lib/upstream.mjs';

// Upstreams that tell their name and what they were asked for.
async function named(name) {
  return startUpstream(undefined, (request, response, body) => {
    response.setHeader('content-type', 'application/json');
    if (request.url.endsWith('/models')) {
      return response.end(JSON.stringify({ object: 'list', data: [{ id: `${name}-large`, object: 'model', created: 1, owned_by: name }] }));
    }
    const model = body.length > 0 && body[0] === 0x7b ? JSON.parse(body).model : undefined;
    response.end(JSON.stringify({ upstream: name, url: request.url, model }));
  });
}
const red = await named('red');
const blue = await named('blue');
const down = 'http://127.0.0.1:9/v1';

const gateway = await Gateway.start(undefined, {
  providers: {
    red: { type: 'openai', base_url: red.base },
    blue: { type: 'openai', base_url: `${blue.url}/api/v3` },
    down: { type: 'openai', base_url: down },
  },
  models: {
    default: 'red/standard',
    fast: 'blue/qwen-turbo',
    mixed: { targets: [{ use: 'red/a', weight: 3 }, { use: 'blue/b', weight: 1 }] },
  },
  routes: [
    { name: 'host', match: { host: 'blue.example.com' }, provider: 'blue' },
    { name: 'header', match: { path: '/v1/*', header: { 'x-team': 'b*' } }, provider: 'blue' },
    { name: 'audio', match: { path: '/v1/audio/*' }, provider: 'blue' },
    { name: 'by-model', match: { model: 'special-*' }, provider: 'red' },
    { match: { path: '/v1/tiny*' }, provider: 'red', max_body: '16B' },
  ],
});

const ask = async (model, options) => {
  const body = { messages: [], ...(model === undefined ? {} : { model }) };
  const response = await gateway.chat(body, options);
  assert.equal(response.status, 200, await response.clone().text());
  return response.json();
};
const get = async (target, headers = {}) => {
  const response = await fetch(gateway.url + target, { headers });
  return response.status === 200 ? response.json() : Promise.reject(new Error(await response.text()));
};

describe('by model', () => {
  test('provider/model always works', async () => {
    assert.deepEqual(await ask('red/gpt-4o'), { upstream: 'red', url: '/v1/chat/completions', model: 'gpt-4o' });
  });
  test('only the first slash separates', async () => {
    assert.deepEqual(await ask('blue/org/model:free'), {
      upstream: 'blue', url: '/api/v3/chat/completions', model: 'org/model:free',
    });
  });
  test('an alias', async () => {
    assert.equal((await ask('fast')).model, 'qwen-turbo');
  });
  test('no model means the one called default', async () => {
    assert.equal((await ask(undefined)).model, 'standard');
  });
  test('weights decide between targets', async () => {
    const counts = { red: 0, blue: 0 };
    for (let i = 0; i < 200; ++i) counts[(await ask('mixed')).upstream] += 1;
    // 150 are expected; twelve standard deviations off would be no chance.
    assert.ok(counts.red > 100 && counts.blue > 15, JSON.stringify(counts));
  });
  test('an unknown model is refused with near names', async () => {
    const error = await assertFetchError(await gateway.chat({ model: 'fasd', messages: [] }), {
      status: 404, code: 'model_not_found', message: /no model "fasd".*Did you mean "fast"/,
    });
    assert.match(error.message, /providers are .*blue.*red/);
  });
  test('a misspelt provider is named', async () => {
    await assertFetchError(await gateway.chat({ model: 'rad/gpt-4o', messages: [] }), {
      status: 404, code: 'model_not_found', message: /Did you mean "red\/gpt-4o"/,
    });
  });
  test('names that are written twice or with escapes cannot be read in two ways', async () => {
    const bodies = {
      '{"model":"red/x","model":"blue/y"}': ['blue', 'y'],
      '{"mod\\u0065l":"red/x"}': ['red', 'x'],
      '{"model":"red/x","mod\\u0065l":"blue/y"}': ['blue', 'y'],
      '{"model":"red\\/x"}': ['red', 'x'],
    };
    for (const [body, [name, model]] of Object.entries(bodies)) {
      const got = await (await gateway.chat(body)).json();
      assert.deepEqual([got.upstream, got.model], [name, model], body);
    }
    // No reader of the forwarded text finds the name that was not obeyed.
    assert.ok(!blue.requests.at(-1).body.includes('red/x'));
  });
  test('a model name that is long, strange or no text', async () => {
    const refused = async (model, status, code) => {
      await assertFetchError(await gateway.chat({ model, messages: [] }), { status, code, message: /./ });
    };
    await refused('x'.repeat(100_000), 400, 'bad_request');
    await refused('x'.repeat(1000), 404, 'model_not_found');
    await refused('née\u0000"\\', 404, 'model_not_found');
    await refused(17, 400, 'bad_request');
    await refused({}, 400, 'bad_request');
  });
});

describe('by header, path or route', () => {
  test('x-sluice-provider, which the provider does not see', async () => {
    assert.equal((await get('/v1/files', { 'x-sluice-provider': 'blue' })).url, '/api/v3/files');
    assert.equal(blue.requests.at(-1).headers['x-sluice-provider'], undefined);
    assert.equal((await get('/v1/files', { 'x-sluice-provider': 'red' })).url, '/v1/files');
  });
  test('x-sluice-provider with a plain model name', async () => {
    const got = await ask('gpt-4o', { headers: { 'x-sluice-provider': 'blue' } });
    assert.deepEqual([got.upstream, got.model], ['blue', 'gpt-4o']);
  });
  test('the drop-in path', async () => {
    assert.deepEqual(await get('/providers/blue/v1/files/abc?limit=3'), { upstream: 'blue', url: '/api/v3/files/abc?limit=3' });
    const got = await ask('gpt-4o', { path: '/providers/red/v1/chat/completions' });
    assert.deepEqual([got.upstream, got.model], ['red', 'gpt-4o']);
  });
  test('unknown and contradicting providers', async () => {
    const refused = async (target, headers, expected) => {
      await assertFetchError(await fetch(gateway.url + target, { headers }), expected);
    };
    await refused('/v1/files', { 'x-sluice-provider': 'rde' }, { status: 404, code: 'not_found', message: /no provider "rde".*"red"/ });
    await refused('/providers/nobody/v1/files', {}, { status: 404, code: 'not_found', message: /no provider "nobody"/ });
    await refused('/providers/red/v1/files', { 'x-sluice-provider': 'blue' }, { status: 400, code: 'bad_request', message: /red.*blue/ });
    await refused('/v1/files', {}, { status: 400, code: 'bad_request', message: /x-sluice-provider.*blue, down, red/ });
  });
  test('a path outside /v1 is not found', async () => {
    for (const target of ['/', '/favicon.ico', '/v2/chat/completions', '/providers/', '/metrics', '/admin/config']) {
      await assertFetchError(await fetch(gateway.url + target), { status: 404, code: 'not_found', message: /./ });
    }
  });
  test('a route by host, header and path', async () => {
    const post = await fetch(`${gateway.url}/v1/audio/speech`, { method: 'POST', body: 'x' });
    assert.equal((await post.json()).upstream, 'blue');
    assert.equal((await get('/v1/batches', { 'x-team': 'best' })).upstream, 'blue');
    await assert.rejects(get('/v1/batches', { 'x-team': 'worst' }), /x-sluice-provider/);
    const http = await import('node:http');
    const body = await new Promise((resolve, reject) => {
      const request = http.get(`${gateway.url}/v1/batches`, { headers: { host: 'BLUE.example.com:8080' } }, async (response) => {
        resolve(JSON.parse(Buffer.concat(await response.toArray())));
      });
      request.on('error', reject);
    });
    assert.equal(body.upstream, 'blue');
  });
  test('a route by model', async () => {
    assert.deepEqual([(await ask('special-1')).upstream, (await ask('special-1')).model], ['red', 'special-1']);
  });
  test('a route\'s own bound on bodies', async () => {
    const response = await gateway.chat({ model: 'm', text: 'longer than sixteen bytes' }, { path: '/v1/tiny' });
    await assertFetchError(response, { status: 413, code: 'too_large', message: /16/ });
  });
});

test('the models of configuration and providers are one list; a provider that is down does not spoil it', async () => {
  const list = await get('/v1/models');
  assert.equal(list.object, 'list');
  const ids = list.data.map((model) => model.id);
  for (const id of ['default', 'fast', 'mixed', 'red/red-large', 'blue/blue-large']) assert.ok(ids.includes(id), ids.join());
  for (const model of list.data) assert.equal(model.object, 'model');
  const asked = red.requests.length;
  await get('/v1/models');
  assert.equal(red.requests.length, asked, 'the list is kept for a while');
});

test('log and metrics tell route, provider and model', async () => {
  const response = await gateway.chat({ model: 'fast', messages: [] });
  const row = await gateway.logged(response.headers.get('x-request-id'));
  assert.deepEqual(
    [row.route, row.provider, row.model, row.upstream_model, row.status, row.outcome],
    ['default', 'blue', 'fast', 'qwen-turbo', 200, 'ok'],
  );
  assert.ok((await gateway.metric('sluice_requests_total', { provider: 'blue', model: 'fast', outcome: 'ok' })) > 0);
});
