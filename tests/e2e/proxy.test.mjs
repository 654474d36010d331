// Providers behind an HTTP proxy, by configuration and by the environment.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Authority, read } from '../lib/certificates.mjs';
import { assertFetchError } from '../lib/errors.mjs';
import { Gateway } from '../lib/gateway.mjs';
import { reservedPort, temporaryDirectory } from '../lib/process.mjs';
import { startProxy } from '../lib/proxy.mjs';
import { startUpstream } from '../lib/upstream.mjs';

const authority = new Authority(temporaryDirectory());
const secure = await startUpstream(undefined, undefined, { tls: read(authority.issue('up', 'IP:127.0.0.1', 'api.example.test')) });
const plain = await startUpstream();
const tls = { ca_file: authority.file };
const ask = (gateway, provider) => fetch(`${gateway.url}/providers/${provider}/v1/files`);

describe('by configuration', () => {
  test('a tunnel for https, kept for more requests', async (t) => {
    const proxy = await startProxy(t);
    const gateway = await Gateway.start(t, { workers: 1, providers: { a: { type: 'openai', base_url: secure.base, tls, proxy: proxy.url } } });
    for (let i = 0; i < 3; ++i) assert.equal((await ask(gateway, 'a')).status, 200);
    assert.deepEqual(proxy.asked, [`CONNECT 127.0.0.1:${secure.port}`]);
  });
  test('credentials go to the proxy, and only there', async (t) => {
    const proxy = await startProxy(t, { credentials: 'user:pass' });
    const url = proxy.url.replace('//', '//user:pass@');
    const gateway = await Gateway.start(t, { providers: { a: { type: 'openai', base_url: secure.base, tls, proxy: url } } });
    assert.equal((await ask(gateway, 'a')).status, 200);
    assert.equal(secure.requests.at(-1).headers['proxy-authorization'], undefined);
  });
  test('a proxy that refuses, and one that is down', async (t) => {
    const proxy = await startProxy(t, { credentials: 'user:pass' });
    const down = `http://user:top-secret@127.0.0.1:${reservedPort()}`;
    const gateway = await Gateway.start(t, {
      providers: {
        refused: { type: 'openai', base_url: secure.base, tls, proxy: proxy.url },
        down: { type: 'openai', base_url: secure.base, tls, proxy: down },
      },
    });
    const refused = await ask(gateway, 'refused');
    assert.equal(refused.status, 502);
    assert.match((await refused.json()).error.message, /proxy.*407|407.*proxy/i);
    const error = await assertFetchError(await ask(gateway, 'down'), { status: 502, code: 'connect_failed', message: /127\.0\.0\.1/ });
    assert.ok(!error.message.includes('top-secret'));
    assert.ok(!gateway.log.includes('top-secret'));
  });
});

describe('by the environment', () => {
  const far = (base) => base.replace('127.0.0.1', 'api.example.test');
  const providers = {
    secure: { type: 'openai', base_url: far(secure.base), tls },
    plain: { type: 'openai', base_url: far(plain.base) },
    near: { type: 'openai', base_url: plain.base },
    never: { type: 'openai', base_url: secure.base, tls, proxy: 'none' },
  };
  test('HTTPS_PROXY is for https, HTTP_PROXY for http, and none for this machine', async (t) => {
    const [one, two] = [await startProxy(t), await startProxy(t)];
    const gateway = await Gateway.start(t, { providers }, { environment: { HTTPS_PROXY: one.url, HTTP_PROXY: two.url } });
    for (const name of ['secure', 'plain', 'near', 'never']) assert.equal((await ask(gateway, name)).status, 200, name);
    assert.deepEqual(one.asked, [`CONNECT api.example.test:${secure.port}`]);
    assert.equal(two.asked.length, 1);
    assert.match(two.asked[0], new RegExp(`api\\.example\\.test:${plain.port}`));
  });
  test('NO_PROXY is obeyed', async (t) => {
    const proxy = await startProxy(t);
    const environment = { HTTPS_PROXY: proxy.url, NO_PROXY: 'example.com, .example.test' };
    const gateway = await Gateway.start(t, { providers }, { environment });
    assert.equal((await ask(gateway, 'secure')).status, 502);  // there is no such host
    assert.deepEqual(proxy.asked, []);
  });
});

test('a provider by its name, of which one address does not answer', async (t) => {
  // localhost is ::1 and 127.0.0.1 on most machines; the upstream listens on the second only.
  const gateway = await Gateway.start(t, { providers: { named: { type: 'openai', base_url: plain.base.replace('127.0.0.1', 'localhost') } } });
  assert.equal((await ask(gateway, 'named')).status, 200);
  assert.equal(plain.requests.at(-1).headers.host, `localhost:${plain.port}`);
});
