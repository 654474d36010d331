// The operator's side.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { assertError } from '../lib/errors.mjs';
import { Gateway, Mock, question } from '../lib/gateway.mjs';
import { eventually, onEnd, temporaryDirectory } from '../lib/process.mjs';
import { RawClient, chatRequest, request, roundTrip } from '../lib/raw.mjs';
import { readChat } from '../lib/sse.mjs';

const mock = await Mock.start();
const secrets = ['sk-one-4711', 'sk-two-4712', 'header-secret-4713', 'proxy-password-4714', 'file-secret-4715', 'env-secret-4716'];
const secretFile = path.join(temporaryDirectory(), 'key');
writeFileSync(secretFile, `${secrets[4]}\n`);
const gateway = await Gateway.start(undefined, {
  providers: {
    mock: { type: 'openai', base_url: mock.base, api_keys: [secrets[0], secrets[1]], headers: { 'x-extra': secrets[2] } },
    proxied: { type: 'openai', base_url: 'http://127.0.0.1:9/v1', proxy: `http://user:${secrets[3]}@127.0.0.1:9`, api_key: { file: secretFile } },
    env: { type: 'openai', base_url: 'http://127.0.0.1:9/v1', api_key: '${THE_KEY}' },
  },
  models: { m: 'mock/one' },
  prices: { one: { input: 3, output: 6 } },
}, { environment: { THE_KEY: secrets[5] } });
const none = (text) => {
  for (const secret of secrets) assert.ok(!text.includes(secret), `${secret} is shown`);
};

describe('pages', () => {
  test('/healthz and /readyz', async () => {
    assert.deepEqual(await gateway.adminJson('/healthz'), { status: 200, body: { status: 'ok' } });
    const ready = await gateway.adminJson('/readyz');
    assert.deepEqual([ready.status, ready.body.status], [200, 'ready']);
    const head = await roundTrip(gateway.adminPort, request('HEAD', '/healthz', { Connection: 'close' }), { method: 'HEAD' });
    assert.equal(head.status, 200);
  });
  test('/admin/config is complete and shows no secret', async () => {
    const { status, body } = await gateway.adminJson('/admin/config');
    assert.equal(status, 200);
    none(JSON.stringify(body));
    assert.equal(body.limits.max_body, '32MiB');
    assert.equal(body.models.m, 'mock/one');
    assert.equal(body.providers.env.api_key, '***');
    assert.deepEqual(body.providers.mock.api_keys, ['***', '***']);
    assert.equal(body.providers.mock.headers['x-extra'], '***');
  });
  test('unknown pages and wrong methods', async () => {
    const ask = async (target, method) => {
      const response = await fetch(gateway.admin + target, { method });
      return { status: response.status, body: await response.text(), allow: response.headers.get('allow') };
    };
    assertError(await ask('/nothing', 'GET'), { status: 404, code: 'not_found', message: /\/admin\/reload/ });
    const wrong = await ask('/admin/reload', 'GET');
    assertError(wrong, { status: 405, code: 'method_not_allowed', message: /POST/ });
    assert.equal(wrong.allow, 'POST');
    assertError(await ask('/metrics', 'POST'), { status: 405, code: 'method_not_allowed', message: /GET/ });
    assertError(await ask('/admin/streams/no-such', 'DELETE'), { status: 404, code: 'not_found', message: /admin\/streams/ });
  });
  test('the admin listener is as strict as the others', async (t) => {
    const client = await RawClient.connect(gateway.adminPort);
    onEnd(t, () => client.close());
    assert.equal((await client.send('GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n').response()).status, 400);
  });
  test('the public listener does not know them', async () => {
    for (const target of ['/healthz', '/metrics', '/admin/config', '/admin/streams']) {
      assert.equal((await fetch(gateway.url + target)).status, 404, target);
    }
  });
});

describe('live exchanges', () => {
  test('are listed with age, bytes and tokens, and grow', async (t) => {
    const client = await RawClient.connect(gateway.port);
    onEnd(t, () => client.close());
    client.send(chatRequest({ model: 'm', stream: true, messages: [{ role: 'user', content: 'x' }] },
      { 'X-Request-Id': 'listed', 'x-mock-tokens': '5000', 'x-mock-between-tokens': '5ms' }));
    await client.until('data: ');
    const find = async () => (await gateway.streams()).find((one) => one.request_id === 'listed');
    const first = await eventually(find);
    assert.deepEqual(
      [first.client, first.method, first.path, first.route, first.provider, first.model, first.stream],
      ['127.0.0.1', 'POST', '/v1/chat/completions', 'default', 'mock', 'm', true],
    );
    assert.ok(first.bytes_in > 0 && first.bytes_out > 0);
    const later = await eventually(async () => {
      const now = await find();
      return now.bytes_out > first.bytes_out && now.tokens > 0 && now;
    }, 'bytes and tokens growing');
    assert.ok(later.age_seconds > 0);
    assert.equal(later.id, first.id);
    assert.ok((await gateway.metric('sluice_streams')) >= 1);
  });
  test('DELETE ends a stream with an error event', async () => {
    const response = await gateway.chat({ ...question('x'), stream: true },
      { headers: { 'x-request-id': 'to-end', 'x-mock-tokens': '100000', 'x-mock-between-tokens': '5ms' } });
    const stream = await eventually(async () => (await gateway.streams()).find((one) => one.request_id === 'to-end'));
    assert.equal((await gateway.adminJson(`/admin/streams/${stream.id}`, { method: 'DELETE' })).status, 200);
    const said = readChat(await response.text());
    assert.deepEqual([said.done, said.error?.code], [false, 'cancelled']);
    assert.match(said.error.message, /operator/);
    const row = await gateway.logged('to-end');
    assert.deepEqual([row.outcome, row.code], ['ended', 'cancelled']);
    assert.ok(row.tokens.completion > 0);
    assert.equal((await gateway.adminJson(`/admin/streams/${stream.id}`, { method: 'DELETE' })).status, 404, 'only once');
  });
  test('DELETE ends a request that waits for its answer', async () => {
    const asked = gateway.chat(question('x'), { headers: { 'x-request-id': 'waits', 'x-mock-first-token': '60s' } });
    const stream = await eventually(async () => (await gateway.streams()).find((one) => one.request_id === 'waits' && one.provider));
    await gateway.adminJson(`/admin/streams/${stream.id}`, { method: 'DELETE' });
    const response = await asked;
    assertError({ status: response.status, body: await response.text() }, { status: 503, code: 'cancelled', message: /operator/ });
  });
});

describe('/metrics', () => {
  test('is what a scraper takes, and names what there is', async () => {
    const response = await fetch(`${gateway.admin}/metrics`);
    assert.match(response.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
    await gateway.chat(question('x'), {});
    await (await gateway.chat({ ...question('x'), stream: true })).text();
    const metrics = await eventually(async () => {
      const all = await gateway.metrics();
      return all.find('sluice_between_token_seconds_count').length > 0 && all;
    });
    for (const name of [
      'sluice_requests_total', 'sluice_request_duration_seconds', 'sluice_first_token_seconds', 'sluice_between_token_seconds',
      'sluice_tokens_total', 'sluice_streams', 'sluice_connections', 'sluice_upstream_connections', 'sluice_reloads_total',
      'sluice_loop_lag_seconds', 'sluice_access_log_dropped_total', 'sluice_build_info',
    ]) assert.ok(metrics.types.has(name), name);
    none(await gateway.metricsText());
  });
  test('names that clients make up do not become labels', async () => {
    const series = async () => (await gateway.metrics()).samples.length;
    const ask = async (i) => {
      await (await gateway.chat({ ...question('x'), model: `made-up-${i}` })).text();
      await (await gateway.chat({ ...question('x'), model: `nobody-${i}/x` })).text();
      await (await fetch(`${gateway.url}/v1/made/up/${i}?x=${i}`, { headers: { 'x-sluice-provider': `odd-${i}` } })).text();
      await (await fetch(`${gateway.url}/junk-${i}`, { method: 'PUT', body: 'x' })).text();
      await (await gateway.chat(question('x'), { path: `/providers/none-${i}/v1/chat/completions` })).text();
      await roundTrip(gateway.port, `GE(T /${i} HTTP/1.1\r\nHost: h${i}\r\n\r\n`);
    };
    await ask(0);
    const before = await eventually(series);
    for (let i = 1; i <= 60; ++i) await ask(i);
    await eventually(async () => (await gateway.metric('sluice_streams')) === 0);
    const text = await gateway.metricsText();
    assert.ok(!/made-up-|nobody-\d|odd-\d|junk-|none-\d/.test(text));
    assert.ok((await series()) <= before + 5, `${before} series became ${await series()}`);
  });
  test('models that a provider really answers are bounded too', async () => {
    for (let i = 0; i < 150; ++i) await (await gateway.chat({ ...question('x'), model: `mock/variant-${i}-${'y'.repeat(i)}` })).text();
    const metrics = await gateway.metrics();
    for (const model of metrics.values('model')) assert.ok(model.length <= 128, model);
    assert.ok(metrics.samples.length < 60_000);
  });
  test('refused input is counted by reason', async () => {
    const before = await gateway.metric('sluice_rejected_requests_total', { reason: 'cl_te' });
    await roundTrip(gateway.port, 'POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n');
    assert.equal(await gateway.metric('sluice_rejected_requests_total', { reason: 'cl_te' }), before + 1);
  });
  test('open connections are counted up and down', async () => {
    const open = () => gateway.metric('sluice_connections');
    const before = await open();
    const clients = await Promise.all(Array.from({ length: 10 }, () => RawClient.connect(gateway.port)));
    await eventually(async () => (await open()) === before + 10, 'ten more');
    for (const client of clients) client.close();
    await eventually(async () => (await open()) === before, 'ten less');
  });
});

test('no secret is anywhere', async () => {
  for (const provider of ['mock', 'proxied', 'env']) await (await gateway.chat({ ...question('x'), model: `${provider}/x` })).text();
  await gateway.reload();
  await eventually(() => gateway.accessLog().length > 0);
  none(JSON.stringify(gateway.accessLog()));
  none(gateway.child.stdout);
  none(gateway.log);
  none(await gateway.metricsText());
  none(JSON.stringify(await gateway.streams()));
});
