// Clients that send slowly, or read nothing, hold places but not the gateway: normal clients are served meanwhile, and
// the slow ones are dropped by their deadlines. `make bench` measures the same with 10,000 of them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Gateway, Mock, question } from '../lib/gateway.mjs';
import { eventually, onEnd, sanitized, sleep } from '../lib/process.mjs';
import { RawClient, request } from '../lib/raw.mjs';

const mock = await Mock.start();
const limits = { header_timeout: '1500ms', body_timeout: '1500ms', min_body_rate: '1KiB', write_stall_timeout: '1500ms' };
const config = { limits, providers: { mock: { type: 'openai', base_url: mock.base } } };
const rss = (gateway) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))[1]);

/** Keeps `count` attackers connected until `attack.over`; `begin(client)` says hello, `drip(client)` a byte more. */
async function besiege(gateway, count, begin, drip) {
  const attack = { over: false, ends: 0, answers: [] };
  const one = async () => {
    while (!attack.over) {
      const client = await RawClient.connect(gateway.port).catch(() => undefined);
      if (!client) return;
      begin(client);
      while (!attack.over && !client.ended) {
        await sleep(100);
        drip(client);
      }
      if (client.buffer.length > 0) attack.answers.push(client.buffer.toString('latin1').slice(0, 12));
      if (client.ended) attack.ends += 1;
      client.close();
    }
  };
  attack.all = Promise.all(Array.from({ length: count }, one));
  await eventually(async () => (await gateway.metric('sluice_connections')) >= count, 'the siege');
  return attack;
}

/** Normal clients on connections of their own; all must be served. */
async function normalTraffic(gateway, requests) {
  const serve = async (i) => {
    const response = await gateway.chat({ ...question(`normal ${i}`), stream: i % 2 === 0 });
    assert.equal(response.status, 200);
    const text = await response.text();
    assert.ok(i % 2 === 0 ? text.endsWith('data: [DONE]\n\n') : JSON.parse(text).object === 'chat.completion');
  };
  const queue = Array.from({ length: requests }, (_, i) => i);
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (let i; (i = queue.pop()) !== undefined; ) await serve(i);
  }));
}

const kinds = {
  'slow headers': {
    begin: (client) => client.send('GET /v1/models HTTP/1.1\r\nHost: x\r\nX-A: '),
    drip: (client) => client.send('x'),
    reason: 'slow_header',
  },
  'slow bodies of a chat': {
    begin: (client) => client.send('POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{'),
    drip: (client) => client.send(' '),
    reason: 'slow_body',
  },
  'slow uploads': {
    begin: (client) => client.send('POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n'),
    drip: (client) => client.send('1\r\nx\r\n'),
    reason: 'slow_body',
  },
};
const count = sanitized ? 60 : 150;

for (const [name, { begin, drip, reason }] of Object.entries(kinds)) {
  test(`${count} clients with ${name}`, async (t) => {
    const gateway = await Gateway.start(t, config);
    await normalTraffic(gateway, 50);
    const before = rss(gateway);
    const attack = await besiege(gateway, count, begin, drip);
    onEnd(t, () => (attack.over = true));
    await normalTraffic(gateway, 600);
    await eventually(() => attack.ends >= count, 'the slow ones being dropped');
    await normalTraffic(gateway, 100);
    const grown = rss(gateway) - before;
    attack.over = true;
    await attack.all;
    assert.ok((await gateway.metric('sluice_rejected_requests_total', { reason })) >= count);
    assert.ok(attack.answers.length > 0 && attack.answers.every((answer) => answer === 'HTTP/1.1 408'), [...new Set(attack.answers)].join());
    assert.equal(await gateway.metric('sluice_connections_refused_total'), 0);
    if (!sanitized) assert.ok(grown < count * 64 + 4096, `${grown} KiB for ${count} slow clients`);
    await eventually(async () => (await mock.stats()).live_streams === 0);
  });
}

test('clients that read nothing', async (t) => {
  const gateway = await Gateway.start(t, config);
  await normalTraffic(gateway, 50);
  const before = rss(gateway);
  const deaf = await Promise.all(Array.from({ length: 40 }, async (_, i) => {
    const client = await RawClient.connect(gateway.port, { readable: false });
    onEnd(t, () => client.close());
    client.socket.pause();
    return client.send(request('GET', '/providers/mock/v1/files/x/content?bytes=1GiB', { 'X-Request-Id': `deaf-${i}` }));
  }));
  await eventually(async () => (await gateway.streams()).length >= deaf.length, 'all of them being served');
  await normalTraffic(gateway, 300);
  const grown = rss(gateway) - before;
  if (!sanitized) assert.ok(grown < 40 * 256 + 4096, `${grown} KiB for 40 deaf clients`);
  for (let i = 0; i < deaf.length; ++i) assert.equal((await gateway.logged(`deaf-${i}`)).outcome, 'client_gone');
  await normalTraffic(gateway, 50);
});
