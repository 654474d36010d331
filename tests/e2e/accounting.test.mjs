// Every exchange is counted once, with tokens, money and outcome, however it ends.
import assert from 'node:assert/strict';
import { renameSync, existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Gateway, Mock, question } from '../lib/gateway.mjs';
import { eventually } from '../lib/process.mjs';

const mock = await Mock.start();
const gateway = await Gateway.start(undefined, {
  providers: {
    mock: { type: 'openai', base_url: mock.base, api_key: 'sk-in-config' },
    inside: { type: 'mock' },
    down: { type: 'openai', base_url: 'http://127.0.0.1:9/v1' },
  },
  models: { priced: 'mock/dear', dated: 'mock/gpt-4o-mini' },
  prices: { dear: { input: 1000, output: 2000, cached_input: 500 }, 'inside/*': { input: 10, output: 10 } },
});

const keys = [
  'time', 'id', 'client', 'method', 'path', 'route', 'provider', 'model', 'upstream_model', 'status', 'outcome', 'code', 'stream',
  'duration_ms', 'first_token_ms', 'bytes_in', 'bytes_out', 'tokens', 'cost_usd',
];
let number = 0;
async function settled(body, headers = {}, options = {}) {
  const id = `acc-${++number}`;
  const response = await gateway.chat(body, { headers: { 'x-request-id': id, ...headers }, ...options });
  const text = await response.text();
  return { row: await gateway.logged(id), text, response };
}
const money = (tokens, { input, output, cached }) =>
  ((tokens.prompt - tokens.cached) * input + tokens.cached * cached + tokens.completion * output) / 1e6;

describe('the access log', () => {
  test('has one line of fixed keys for each exchange', async () => {
    const { row, text } = await settled({ ...question('hello'), model: 'priced' });
    assert.deepEqual(Object.keys(row), keys);
    assert.match(row.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(
      [row.client, row.method, row.path, row.route, row.provider, row.model, row.upstream_model, row.status, row.outcome, row.code, row.stream],
      ['127.0.0.1', 'POST', '/v1/chat/completions', 'default', 'mock', 'priced', 'dear', 200, 'ok', null, false],
    );
    assert.equal(row.bytes_out, Buffer.byteLength(text));
    assert.ok(row.bytes_in > 50 && row.duration_ms > 0);
    assert.equal(gateway.accessLog().filter((one) => one.id === row.id).length, 1);
  });
  test('never holds a query, a body or a header', async () => {
    await settled({ ...question('my secret question') }, { authorization: 'Bearer sk-of-client' }, { path: '/v1/chat/completions?key=sk-query' });
    const all = JSON.stringify(gateway.accessLog());
    for (const secret of ['my secret question', 'sk-of-client', 'sk-query', 'sk-in-config']) assert.ok(!all.includes(secret), secret);
  });
  test('survives names with every kind of character', async () => {
    const { row } = await settled({ ...question('x'), model: 'mock/"\\\n\u0000é你\u2028' });
    assert.equal(row.status, 200);
  });
  test('is opened again on SIGUSR1', async () => {
    renameSync(gateway.logFile, `${gateway.logFile}.1`);
    gateway.child.kill('SIGUSR1');
    await eventually(() => existsSync(gateway.logFile), 'the new file');
    const { row } = await settled(question('after the rotation'));
    assert.equal(row.outcome, 'ok');
  });
});

describe('tokens', () => {
  test('are the provider\'s, whole and streamed alike', async () => {
    const headers = { 'x-mock-cached-tokens': '2', 'x-mock-reasoning-tokens': '9' };
    const whole = await settled({ ...question('hello there my friend'), model: 'priced' }, headers);
    const usage = JSON.parse(whole.text).usage;
    assert.deepEqual(whole.row.tokens, {
      prompt: usage.prompt_tokens, completion: usage.completion_tokens, cached: 2, reasoning: 9, estimated: false,
    });
    const streamed = await settled({ ...question('hello there my friend'), model: 'priced', stream: true }, headers);
    assert.deepEqual(streamed.row.tokens, whole.row.tokens);
    assert.equal(streamed.row.stream, true);
    assert.ok(streamed.row.first_token_ms !== null);
  });
  test('of every endpoint that has them', async () => {
    const of = async (path, body) => (await settled({ model: 'mock/m', ...body }, {}, { path })).row.tokens;
    const legacy = await of('/v1/completions', { prompt: 'once upon a time' });
    assert.ok(legacy.prompt > 0 && legacy.completion > 0);
    const responses = await of('/v1/responses', { input: 'hello' });
    assert.ok(responses.prompt > 0 && responses.completion > 0);
    const events = await of('/v1/responses', { input: 'hello', stream: true });
    assert.deepEqual(events, responses);
    const embeddings = await of('/v1/embeddings', { input: ['a b c', 'd'] });
    assert.ok(embeddings.prompt > 0);
    assert.deepEqual([embeddings.completion, embeddings.estimated], [0, false]);
  });
  test('are none where nothing is generated', async () => {
    const response = await fetch(`${gateway.url}/providers/mock/v1/files/x/content?bytes=10`, { headers: { 'x-request-id': 'no-tokens' } });
    await response.text();
    const row = await gateway.logged('no-tokens');
    assert.deepEqual([row.tokens, row.cost_usd, row.bytes_out], [null, null, 10]);
  });
  test('of the provider in the process', async () => {
    const { row } = await settled({ ...question('hi'), model: 'inside/demo-small' });
    assert.ok(row.tokens.completion > 0);
    assert.ok(row.cost_usd > 0);
  });
});

describe('money', () => {
  test('by the configured price, cached tokens apart', async () => {
    const { row } = await settled({ ...question('hello there my friend'), model: 'priced' }, { 'x-mock-cached-tokens': '3' });
    assert.ok(Math.abs(row.cost_usd - money(row.tokens, { input: 1000, output: 2000, cached: 500 })) < 1e-8);
  });
  test('by the shipped table', async () => {
    const { row } = await settled({ ...question('hello'), model: 'dated' });
    assert.ok(row.cost_usd > 0 && row.cost_usd < 0.01, String(row.cost_usd));
  });
  test('an unknown price is unknown, not nothing', async () => {
    const before = await gateway.metric('sluice_cost_unknown_total', { model: 'nobody-knows' });
    const { row } = await settled({ ...question('hello'), model: 'mock/nobody-knows' });
    assert.equal(row.cost_usd, null);
    assert.ok(row.tokens.completion > 0);
    await eventually(async () => (await gateway.metric('sluice_cost_unknown_total')) > before);
  });
});

describe('outcomes', () => {
  const outcomes = [
    ['a wrong request', () => settled('{"model":'), ['client_error', 400, 'bad_request']],
    ['an unknown model', () => settled({ ...question('x'), model: 'zzz' }), ['client_error', 404, null]],
    ['a refusal of the provider', () => settled(question('x'), { 'x-mock-fault': 'status=429' }), ['client_error', 429, null]],
    ['a failure of the provider', () => settled(question('x'), { 'x-mock-fault': 'status=500' }), ['upstream_error', 500, null]],
    ['a provider that is down', () => settled({ ...question('x'), model: 'down/x' }), ['upstream_error', 502, 'connect_failed']],
    ['a broken stream', () => settled({ ...question('x'), stream: true }, { 'x-mock-fault': 'truncate-after=3' }), ['broken', 200, 'truncated']],
  ];
  for (const [name, act, [outcome, status, code]] of outcomes) {
    test(name, async () => {
      const before = await gateway.metric('sluice_requests_total', { outcome });
      const { row } = await act();
      assert.deepEqual([row.outcome, row.status], [outcome, status]);
      if (code) assert.equal(row.code, code);
      assert.equal(await eventually(async () => gateway.metric('sluice_requests_total', { outcome })), before + 1);
    });
  }
  test('a broken stream still counts what came', async () => {
    const { row } = await settled({ ...question('x'), model: 'priced', stream: true }, { 'x-mock-fault': 'cut-after=10' });
    assert.ok(row.tokens.completion > 0);
    assert.equal(row.tokens.estimated, true);
    assert.ok(row.cost_usd > 0);
  });
});

test('log and metrics agree over many exchanges at once', async () => {
  const rowsBefore = gateway.accessLog().length;
  const before = await gateway.metrics();
  const all = Array.from({ length: 200 }, (_, i) => {
    const fault = i % 10 === 0 ? { 'x-mock-fault': 'cut-after=3' } : {};
    return gateway.chat({ ...question(`q${i}`), stream: i % 2 === 0, model: 'priced' }, { headers: fault }).then((r) => r.text()).catch(() => {});
  });
  await Promise.all(all);
  await eventually(() => gateway.accessLog().length === rowsBefore + 200, 'all lines');
  const rows = gateway.accessLog().slice(rowsBefore);
  const after = await gateway.metrics();
  const grown = (name, labels) => after.sum(name, labels) - before.sum(name, labels);
  assert.equal(grown('sluice_requests_total'), 200);
  assert.equal(grown('sluice_requests_total', { outcome: 'broken' }), rows.filter((row) => row.outcome === 'broken').length);
  assert.equal(grown('sluice_sent_bytes_total'), rows.reduce((sum, row) => sum + row.bytes_out, 0));
  const tokens = rows.reduce((sum, row) => sum + row.tokens.completion, 0);
  assert.equal(grown('sluice_tokens_total', { kind: 'completion' }), tokens);
  assert.ok(Math.abs(grown('sluice_cost_usd_total') - rows.reduce((sum, row) => sum + row.cost_usd, 0)) < 1e-6);
  assert.equal(after.sum('sluice_streams'), 0);
});
