// A new configuration takes effect without anybody noticing, and a bad one not at all.
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { Gateway, Mock, configText, question } from '../lib/gateway.mjs';
import { Child, eventually, onEnd, reservedPort, sleep, temporaryDirectory } from '../lib/process.mjs';
import { RawClient, chatRequest, request } from '../lib/raw.mjs';
import { readChat } from '../lib/sse.mjs';

const mock = await Mock.start();
const config = (more = {}) => ({ providers: { mock: { type: 'openai', base_url: mock.base } }, models: { m: 'mock/one' }, ...more });
const target = async (gateway) => {
  const response = await gateway.chat({ ...question('x'), model: 'm' });
  return response.status === 200 ? (await response.json()).model : response.status;
};

describe('what makes it read the file again', () => {
  const next = () => config({ models: { m: 'mock/two' } });
  const takes = async (gateway) => eventually(async () => (await target(gateway)) === 'two', 'the new configuration');

  test('POST /admin/reload', async (t) => {
    const gateway = await Gateway.start(t, config());
    assert.equal(await target(gateway), 'one');
    const before = await gateway.revision();
    gateway.write(next());
    const result = await gateway.reload();
    assert.equal(result.status, 200);
    assert.equal(result.body.ok, true);
    assert.ok(result.body.revision > before);
    assert.equal(await target(gateway), 'two');
  });
  test('a write in place', async (t) => {
    const gateway = await Gateway.start(t, config());
    gateway.write(next());
    await takes(gateway);
    assert.match(gateway.log, /reloaded \(file\)/);
  });
  test('an atomic rename, again and again', async (t) => {
    const gateway = await Gateway.start(t, config());
    for (const model of ['two', 'three', 'four']) {
      gateway.replace(config({ models: { m: `mock/${model}` } }));
      await eventually(async () => (await target(gateway)) === model, model);
    }
  });
  test('the symlink swap of a ConfigMap', async (t) => {
    const directory = temporaryDirectory(t);
    const version = (name, content) => {
      mkdirSync(path.join(directory, name));
      writeFileSync(path.join(directory, name, 'sluice.yaml'), configText(content));
    };
    const complete = (more) => ({ listen: '127.0.0.1:0', admin: '127.0.0.1:0', drain: '1s', ...config(more) });
    version('..2026_01', complete());
    symlinkSync('..2026_01', path.join(directory, '..data'));
    symlinkSync(path.join('..data', 'sluice.yaml'), path.join(directory, 'sluice.yaml'));
    const child = new Child(['serve', '-c', path.join(directory, 'sluice.yaml')]);
    onEnd(t, () => child.stop());
    await child.said(/try: curl/);
    const gateway = Object.assign(new Gateway(), { url: /listens on +(http:\S+)/.exec(child.stdout)[1] });
    assert.equal(await target(gateway), 'one');
    for (const [number, model] of [['02', 'two'], ['03', 'three']]) {
      version(`..2026_${number}`, complete({ models: { m: `mock/${model}` } }));
      symlinkSync(`..2026_${number}`, path.join(directory, '..data_tmp'));
      renameSync(path.join(directory, '..data_tmp'), path.join(directory, '..data'));
      await eventually(async () => (await target(gateway)) === model, model);
    }
  });
  test('a file that goes away for a moment', async (t) => {
    const gateway = await Gateway.start(t, config());
    unlinkSync(gateway.file);
    await sleep(100);
    assert.equal(await target(gateway), 'one');
    gateway.write(next());
    await takes(gateway);
  });
  test('SIGHUP', async (t) => {
    // The variable's value is fixed, but a secret's file is read again only when asked.
    const gateway = await Gateway.start(t, config());
    const before = await gateway.revision();
    gateway.child.kill('SIGHUP');
    await eventually(async () => (await gateway.revision()) > before, 'a new revision');
    assert.match(gateway.log, /reloaded \(signal\)/);
  });
});

describe('a bad file', () => {
  test('changes nothing and is explained in answer, log and metric', async (t) => {
    const gateway = await Gateway.start(t, config());
    const before = await gateway.revision();
    assert.equal(await gateway.metric('sluice_config_last_reload_success'), 1);
    gateway.raw = true;
    gateway.write(`providers:\n  mock: {type: mock}\nmodels:\n  m: mock/two\nlisten: 127.0.0.1:0\nlimtis: {}\n`);
    const result = await gateway.reload();
    assert.equal(result.status, 422);
    assert.deepEqual([result.body.ok, result.body.revision], [false, before]);
    assert.match(result.body.problems.join('\n'), /sluice\.yaml:6:1: limtis: .*limits/);
    assert.equal(await target(gateway), 'one');
    assert.match(gateway.log, /sluice\.yaml:6:1: limtis/);
    assert.ok((await gateway.metric('sluice_reloads_total', { outcome: 'failed' })) >= 1);
    assert.equal(await gateway.metric('sluice_config_last_reload_success'), 0);
    // Readiness is about serving, not about the file.
    assert.equal((await fetch(`${gateway.admin}/readyz`)).status, 200);
    gateway.raw = false;
    gateway.write(config({ models: { m: 'mock/three' } }));
    await eventually(async () => (await target(gateway)) === 'three', 'the repaired file');
    assert.equal(await gateway.metric('sluice_config_last_reload_success'), 1);
  });
  test('no YAML, empty, huge, binary', async (t) => {
    const gateway = await Gateway.start(t, config());
    gateway.raw = true;
    for (const text of ['{{{{', '', 'x'.repeat(2_000_000), '\0\x01\x02', '- a\n- b\n', '&a [*a]']) {
      gateway.write(text);
      const result = await gateway.reload();
      assert.equal(result.status, 422, text.slice(0, 20));
      assert.ok(result.body.problems.length > 0);
    }
    assert.equal(await target(gateway), 'one');
  });
  test('a variable that is missing, a certificate that is, an address that is taken', async (t) => {
    const gateway = await Gateway.start(t, config());
    const server = await Gateway.start(t, config());
    const first = `127.0.0.1:${gateway.port}`;
    const tries = [
      [config({ providers: { mock: { type: 'openai', api_key: '${NOT_THERE}' } } }), /NOT_THERE/],
      [config({ listen: [first, { address: '127.0.0.1:0', tls: { cert: '/no.pem', key: '/no.key' } }] }), /cert/],
      [config({ listen: [first, `127.0.0.1:${server.adminPort}`] }), new RegExp(`127\\.0\\.0\\.1:${server.adminPort}`)],
      [config({ listen: [first, '192.0.2.1:80'] }), /192\.0\.2\.1:80/],
    ];
    for (const [bad, message] of tries) {
      gateway.write(bad);
      const result = await gateway.reload();
      assert.equal(result.status, 422, JSON.stringify(bad));
      assert.match(result.body.problems.join('\n'), message);
      assert.equal(await target(gateway), 'one');
    }
  });
});

describe('what is under way', () => {
  test('a stream keeps its configuration, and the bytes go on', async (t) => {
    const gateway = await Gateway.start(t, config());
    const headers = { 'x-mock-tokens': '150', 'x-mock-between-tokens': '5ms' };
    const body = { ...question('long'), model: 'm', stream: true };
    const response = await gateway.chat(body, { headers });
    // The provider of the stream is not even in the new configuration.
    gateway.write({ providers: { inside: { type: 'mock' } }, models: { m: 'inside/demo-small' } });
    assert.equal((await gateway.reload()).status, 200);
    assert.notEqual(await target(gateway), 'one');
    const said = readChat(await response.text());
    assert.ok(said.done);
    const whole = await (await fetch(`${mock.base}/chat/completions`, {
      method: 'POST', headers: { 'content-type': 'application/json', 'x-mock-tokens': '150' },
      body: JSON.stringify({ ...body, model: 'one', stream: false }),
    })).json();
    assert.equal(said.text, whole.choices[0].message.content);
  });
  test('a connection obeys the new configuration from its next request on', async (t) => {
    const gateway = await Gateway.start(t, config());
    const client = await RawClient.connect(gateway.port);
    onEnd(t, () => client.close());
    const ask = async () => (await client.send(chatRequest({ ...question('x'), model: 'm' })).response()).json.model;
    assert.equal(await ask(), 'one');
    gateway.write(config({ models: { m: 'mock/two' }, limits: { max_requests_per_connection: 3 } }));
    await gateway.reload();
    assert.equal(await ask(), 'two');
    const last = await client.send(request('GET', '/v1/models')).response();
    assert.equal(last.get('connection'), 'close', 'new limits are obeyed too');
  });
  test('counters and connections to providers stay', async (t) => {
    const gateway = await Gateway.start(t, config({ workers: 1 }));
    for (let i = 0; i < 3; ++i) await target(gateway);
    const connects = await gateway.metric('sluice_upstream_connects_total', { provider: 'mock', outcome: 'ok' });
    for (let i = 0; i < 3; ++i) {
      gateway.write(config({ workers: 1, drain: `${i + 1}s` }));
      assert.equal((await gateway.reload()).status, 200);
      await target(gateway);
    }
    assert.equal(await gateway.metric('sluice_requests_total', { model: 'm', outcome: 'ok' }), 6);
    assert.equal(await gateway.metric('sluice_upstream_connects_total', { provider: 'mock', outcome: 'ok' }), connects);
  });
});

describe('listeners', () => {
  test('come and go; those that stay are not touched', async (t) => {
    const [a, b] = [`127.0.0.1:${reservedPort()}`, `127.0.0.1:${reservedPort()}`];
    const status = async (address) => (await fetch(`http://${address}/v1/models`)).status;
    const refused = (address) => eventually(async () => {
      const client = await RawClient.connect(Number(address.split(':')[1])).catch((error) => error.code);
      if (client === 'ECONNREFUSED') return true;
      client.close();
      return false;
    }, 'the listener going');
    const gateway = await Gateway.start(t, config({ listen: [a] }));
    const kept = await RawClient.connect(Number(a.split(':')[1]));
    onEnd(t, () => kept.close());
    assert.equal((await kept.send(request('GET', '/v1/models')).response()).status, 200);

    gateway.write(config({ listen: [a, b] }));
    assert.equal((await gateway.reload()).status, 200);
    assert.equal(await status(b), 200);
    assert.equal(await status(a), 200);

    // A stream on the listener that goes ends in its own time.
    const headers = { 'content-type': 'application/json', 'x-mock-tokens': '60', 'x-mock-between-tokens': '10ms' };
    const stream = await fetch(`http://${b}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify({ ...question('x'), stream: true }) });
    gateway.write(config({ listen: [a] }));
    assert.equal((await gateway.reload()).status, 200);
    await refused(b);
    assert.ok(readChat(await stream.text()).done);
    assert.equal((await kept.send(request('GET', '/v1/models')).response()).status, 200, 'the same connection');

    gateway.write(config({ listen: [b] }));
    assert.equal((await gateway.reload()).status, 200);
    await refused(a);
    assert.equal(await status(b), 200);
  });
});
