// Many reloads, good ones, changed ones and bad ones, under streams and WebSockets: nothing breaks, nothing is lost,
// nothing comes twice. `make bench` does the same with the full numbers.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import WebSocket, { WebSocketServer } from 'ws';
import { Gateway, Mock, question } from '../lib/gateway.mjs';
import { eventually, onEnd, reservedPort, sanitized, sleep, within } from '../lib/process.mjs';
import { readChat } from '../lib/sse.mjs';

const streams = Number(process.env.SOAK_STREAMS ?? (sanitized ? 30 : 100));
const sockets = Number(process.env.SOAK_SOCKETS ?? (sanitized ? 8 : 20));
const reloads = Number(process.env.SOAK_RELOADS ?? (sanitized ? 20 : 60));
const pause = 60;  // milliseconds between two reloads

const mock = await Mock.start();
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
await once(server, 'listening');
server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
onEnd(undefined, () => server.close());

const stays = `127.0.0.1:${reservedPort()}`;
const comes = `127.0.0.1:${reservedPort()}`;
const base = {
  listen: stays,
  providers: {
    mock: { type: 'openai', base_url: mock.base },
    live: { type: 'openai', base_url: `http://127.0.0.1:${server.address().port}/v1` },
  },
};
const variants = [
  base,
  { ...base, models: { other: 'mock/other' } },
  { ...base, listen: [stays, comes], limits: { max_body: '1MiB' } },
  'providers: {mock: {type: nonsense}}\n',
  { ...base, providers: { ...base.providers, more: { type: 'mock' } }, drain: '2s' },
  { ...base, listen: [stays, '192.0.2.1:80'] },
  { ...base, providers: { live: base.providers.live, mock: { ...base.providers.mock, api_key: 'sk-new', timeouts: { idle: '5s' } } } },
  'broken: [\n',
];
const sha256 = (text) => createHash('sha256').update(text).digest('hex');

test(`${reloads} reloads under ${streams} streams and ${sockets} WebSockets`, async () => {
  const gateway = await Gateway.start(undefined, base);
  let over = false;
  const between = 20;
  const tokens = Math.ceil((reloads * pause * 1.3) / between);
  const bodyOf = (i) => ({ ...question(`soak ${i}`), stream: true, stream_options: { include_usage: true } });
  const headers = { 'content-type': 'application/json', 'x-mock-tokens': String(tokens) };

  const running = Array.from({ length: streams }, async (_, i) => {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST', headers: { ...headers, 'x-mock-between-tokens': `${between}ms` }, body: JSON.stringify(bodyOf(i)),
    });
    return { status: response.status, text: await response.text() };
  });

  const tunnels = await Promise.all(Array.from({ length: sockets }, async (_, i) => {
    const socket = new WebSocket(`ws://${stays}/v1/realtime?model=live/m`);
    await within(once(socket, 'open'), 'opening');
    const tunnel = { socket, sent: 0, sending: createHash('sha256'), received: 0, receiving: createHash('sha256'), broken: false };
    socket.on('message', (data) => {
      tunnel.receiving.update(data);
      tunnel.received += 1;
    });
    socket.on('close', () => (tunnel.broken = !over));
    tunnel.talking = (async () => {
      while (!over) {
        const message = `socket ${i} message ${tunnel.sent} ${'x'.repeat((tunnel.sent * 31) % 3000)}`;
        tunnel.sending.update(message);
        tunnel.sent += 1;
        socket.send(message);
        await sleep(10);
      }
    })();
    return tunnel;
  }));

  const counts = { ok: 0, refused: 0 };
  for (let i = 0; i < reloads; ++i) {
    const variant = variants[i % variants.length];
    if (i % 2 === 0) gateway.write(variant);
    else gateway.replace(variant);
    if (i % 5 === 4) gateway.child.kill('SIGHUP');
    const result = await gateway.reload();
    counts[result.body.ok ? 'ok' : 'refused'] += 1;
    await sleep(pause);
  }
  assert.ok(counts.ok >= reloads / 2 && counts.refused >= reloads / 5, JSON.stringify(counts));

  const results = await Promise.all(running);
  over = true;
  for (const [i, tunnel] of tunnels.entries()) {
    await tunnel.talking;
    assert.equal(tunnel.broken, false, `socket ${i}`);
    await eventually(() => tunnel.received === tunnel.sent, `all echoes of socket ${i}`);
    assert.equal(tunnel.receiving.digest('hex'), tunnel.sending.digest('hex'), `socket ${i}`);
    tunnel.socket.terminate();
  }
  for (const [i, { status, text }] of results.entries()) {
    assert.equal(status, 200);
    assert.ok(readChat(text).done, `stream ${i}: ${text.slice(-300)}`);
    const direct = await fetch(`${mock.base}/chat/completions`, { method: 'POST', headers, body: JSON.stringify({ ...bodyOf(i), model: 'm' }) });
    assert.equal(sha256(text), sha256(await direct.text()), `stream ${i}`);
  }
  await eventually(async () => (await gateway.metric('sluice_streams')) === 0, 'nothing left');
  const metrics = await gateway.metrics();
  assert.equal(metrics.sum('sluice_requests_total', { outcome: 'broken' }), 0);
  assert.ok(metrics.sum('sluice_reloads_total') >= reloads);
});
