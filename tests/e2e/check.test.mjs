// The command line: checking files, what start-up says, and how it fails.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import { Gateway, Mock } from '../lib/gateway.mjs';
import { Child, eventually, onEnd, reservedPort, root, run, temporaryDirectory } from '../lib/process.mjs';

const directory = temporaryDirectory();
let number = 0;
function file(text) {
  const name = path.join(directory, `config-${++number}.yaml`);
  writeFileSync(name, text);
  return name;
}
const check = async (text, environment = {}) => {
  const name = file(text);
  const result = await run(['check', '-c', name], { environment });
  return { ...result, lines: result.stderr.split('\n').filter(Boolean).map((line) => line.replace(name, 'FILE')) };
};
const good = 'providers:\n  demo: {type: mock}\n';

describe('sluice check', () => {
  test('a good file', async () => {
    const result = await check(good);
    assert.deepEqual([result.code, result.stderr], [0, '']);
    assert.match(result.stdout, /ok/);
  });
  test('the examples are good', async () => {
    const environment = { OPENAI_API_KEY: 'k', QWEN_KEY_1: 'k', QWEN_KEY_2: 'k' };
    for (const example of ['quickstart', 'full']) {
      const result = await run(['check', '-c', path.join(root, 'examples', `${example}.yaml`)], { environment });
      assert.deepEqual([result.code, result.stderr], [0, ''], example);
    }
  });

  const cases = [
    ['an unknown key, with the nearest known one', `${good}limtis: {max_body: 1MiB}\n`, /^FILE:3:1: limtis: .*did you mean "?limits"?/],
    ['an unknown key deep inside', `providers:\n  demo:\n    type: mock\n    mock:\n      first_tokne: 5ms\n`, /^FILE:5:7: providers\.demo\.mock\.first_tokne: .*first_token/],
    ['an unknown type', 'providers:\n  a: {type: opnai}\n', /^FILE:2:13: providers\.a\.type: .*openai/],
    ['a provider type that comes later', 'providers:\n  a: {type: anthropic, api_key: k}\n', /^FILE:2:13: providers\.a\.type: .+/],
    ['a missing variable', 'providers:\n  a: {type: openai, api_key: "${NO_SUCH_KEY}"}\n', /^FILE:2:30: providers\.a\.api_key: .*NO_SUCH_KEY/],
    ['a bad duration', `${good}drain: 5 parsecs\n`, /^FILE:3:8: drain: .*30s|200ms/],
    ['a bad size', `${good}limits: {max_body: huge}\n`, /^FILE:3:20: limits\.max_body: .*MiB|KiB/],
    ['a bad address', `${good}listen: example\n`, /^FILE:3:9: listen.*host:port/],
    ['a port out of range', `${good}listen: 127.0.0.1:99999\n`, /^FILE:3:9: listen/],
    ['an address used twice', `${good}listen: [127.0.0.1:8080, 127.0.0.1:8080]\n`, /listen\[1\]: .*twice/],
    ['a target without its provider', `${good}models: {m: nobody/x}\n`, /^FILE:3:\d+: models\.m.*provider/],
    ['no provider at all', 'listen: 127.0.0.1:1\n', /providers: there is no provider/],
    ['a base URL that is none', 'providers: {a: {type: openai, base_url: "ftp://x"}}\n', /providers\.a\.base_url: .*https?:\/\//],
    ['a preset without a key', 'providers: {a: {type: openai}}\n', /providers\.a: .*api_key: "\$\{OPENAI_API_KEY\}"/],
    ['broken YAML', 'providers:\n  a: {type: mock\nlisten: x\n', /^FILE:\d+:\d+: .+/],
    ['a repeated key', `${good}drain: 1s\ndrain: 2s\n`, /^FILE:4:1: .*drain/],
    ['a list where a map belongs', 'providers: []\n', /^FILE:1:12: providers: .*map/],
    ['a missing secret file', 'providers: {a: {type: openai, api_key: {file: /no/such/file}}}\n', /providers\.a\.api_key.*\/no\/such\/file/],
    ['origin * with credentials', `${good}cors: {origins: ["*"], credentials: true}\n`, /cors.*credentials/],
  ];
  for (const [name, text, expected] of cases) {
    test(name, async () => {
      const result = await check(text);
      assert.equal(result.code, 1, result.stdout);
      assert.ok(result.lines.some((line) => expected.test(line)), result.lines.join('\n'));
      for (const line of result.lines) assert.match(line, /^FILE(:\d+:\d+)?: .{10,}/);
    });
  }
  test('all problems at once, in the order of the file', async () => {
    const result = await check('drian: 1s\nlisten: bad\nproviders:\n  a: {type: nothing}\n  b: {tpye: mock}\n');
    const places = result.lines.map((line) => Number(/^FILE:(\d+)/.exec(line)[1]));
    assert.ok(places.length >= 4, result.lines.join('\n'));
    assert.deepEqual(places, [...places].sort((a, b) => a - b));
  });
  test('no file', async () => {
    const result = await run(['check', '-c', path.join(directory, 'missing.yaml')]);
    assert.equal(result.code, 1);
    assert.match(result.stderr, /missing\.yaml: cannot read the file/);
  });
  test('a secret is not shown in a problem', async () => {
    const result = await check('providers:\n  a: {type: openai, api_key: k, timeouts: {connect: "${SECRET}"}}\n', { SECRET: 'sk-hidden' });
    assert.equal(result.code, 1);
    assert.ok(!(result.stdout + result.stderr).includes('sk-hidden'));
  });
  test('an optional key that is not there leaves its provider out, and says so', async () => {
    const result = await check(`${good}  real: {type: openai, api_key: "\${MY_KEY:-}"}\n`);
    assert.equal(result.code, 0);
    assert.match(result.stdout, /real.*MY_KEY is not set/);
  });
  test('--schema prints a JSON Schema that knows the keys', async () => {
    const result = await run(['check', '--schema']);
    assert.equal(result.code, 0);
    const schema = JSON.parse(result.stdout);
    assert.match(schema.$schema, /json-schema\.org/);
    for (const key of ['listen', 'admin', 'providers', 'models', 'routes', 'limits', 'telemetry']) assert.ok(schema.properties[key], key);
    assert.equal(schema.additionalProperties, false);
  });
  test('--reference prints the page of the documentation', async () => {
    const result = await run(['check', '--reference']);
    assert.match(result.stdout, /keep_alive_comment/);
  });
});

describe('the command line', () => {
  test('version', async () => {
    for (const args of [['version'], ['--version']]) {
      const result = await run(args);
      assert.deepEqual([result.code, result.stderr], [0, '']);
      assert.match(result.stdout, /\d+\.\d+/);
    }
  });
  test('help names the commands', async () => {
    const result = await run(['--help']);
    assert.equal(result.code, 0);
    for (const command of ['serve', 'check', 'mock', 'version']) assert.match(result.stdout, new RegExp(`\\b${command}\\b`));
  });
  test('nonsense is refused with a hint', async () => {
    for (const args of [[], ['sevre'], ['serve', '--lsiten', 'x'], ['mock', '--first-token', 'soon'], ['mock', '--faults', 'explode']]) {
      const result = await run(args);
      assert.notEqual(result.code, 0, args.join(' '));
      assert.ok(result.stderr.length > 10, args.join(' '));
    }
  });
});

describe('start-up', () => {
  const config = (more) => JSON.stringify({ listen: '127.0.0.1:0', admin: '127.0.0.1:0', providers: { demo: { type: 'mock' } }, ...more });
  const fails = async (text, message, args = []) => {
    const result = await run(['serve', '-c', file(text), ...args]);
    assert.equal(result.code, 1, result.stdout + result.stderr);
    assert.match(result.stderr, message);
    assert.ok(!/terminate|what\(\)/.test(result.stderr), result.stderr);
    return result;
  };

  test('the banner says where it listens, who answers and what to try', async (t) => {
    const gateway = await Gateway.start(t, {
      providers: { demo: { type: 'mock' }, local: { type: 'openai', base_url: 'http://127.0.0.1:8000/v1', api_key: 'sk-secret' }, off: { type: 'openai', api_key: '${UNSET_KEY:-}' } },
      models: { default: 'demo/demo-small' },
    });
    const banner = gateway.child.stdout;
    assert.match(banner, /^Sluice \d/m);
    assert.match(banner, new RegExp(`listens on .*http://127\\.0\\.0\\.1:${gateway.port}`));
    assert.match(banner, new RegExp(`admin .*http://127\\.0\\.0\\.1:${gateway.adminPort}`));
    assert.match(banner, /provider +demo +\(mock/);
    assert.match(banner, /provider +local +\(openai, http:\/\/127\.0\.0\.1:8000\/v1\)/);
    assert.match(banner, /disabled +off +\(UNSET_KEY is not set\)/);
    assert.ok(!banner.includes('sk-secret'));
    const command = /try: (curl[\s\S]*?)\n(?!\s)/.exec(`${banner}\n`)[1].replace(/\\\n/g, ' ');
    const { execSync } = await import('node:child_process');
    assert.match(execSync(command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }), /data: \[DONE\]/);
  });
  test('an IPv6 address', async (t) => {
    const gateway = await Gateway.start(t, { listen: ['127.0.0.1:0', '[::1]:0'], providers: { demo: { type: 'mock' } } });
    assert.equal((await fetch(`http://[::1]:${gateway.ports[1]}/v1/models`)).status, 200);
  });
  test('a port that is taken', async (t) => {
    const server = net.createServer().listen(0, '127.0.0.1');
    onEnd(t, () => server.close());
    await eventually(() => server.listening);
    const address = `127.0.0.1:${server.address().port}`;
    await fails(config({ listen: address }), new RegExp(address));
    await fails(config({ admin: address }), new RegExp(address));
    await fails(config({}), new RegExp(address), ['--listen', address]);
    const mock = await run(['mock', '--listen', address]);
    assert.equal(mock.code, 1);
    assert.match(mock.stderr, new RegExp(address));
  });
  test('two gateways cannot share an address by accident', async (t) => {
    const gateway = await Gateway.start(t, { providers: { demo: { type: 'mock' } } });
    await fails(config({ listen: `127.0.0.1:${gateway.port}` }), new RegExp(String(gateway.port)));
  });
  test('a missing file, a wrong file, a missing certificate', async () => {
    const missing = await run(['serve', '-c', path.join(directory, 'nowhere.yaml')]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /nowhere\.yaml: cannot read/);
    await fails('providers: {a: {type: mock}}\nlitsen: x\n', /:2:1: litsen: .*listen/);
    await fails(config({ listen: [{ address: '127.0.0.1:0', tls: { cert: '/no/cert.pem', key: '/no/key.pem' } }] }), /:1:\d+: listen\[0\]\.tls\.cert: cannot read/);
    const key = file('not a key');
    await fails(config({ listen: [{ address: '127.0.0.1:0', tls: { cert: key, key } }] }), /config-\d+\.yaml/);
    await fails(config({ providers: { a: { type: 'openai', base_url: 'https://x.example/v1', tls: { ca_file: '/no/ca.pem' } } } }), /:1:\d+: providers\.a\.tls\.ca_file: cannot read/);
    await fails(config({ telemetry: { access_log: { path: '/no/such/directory/access.log' } } }), /\/no\/such\/directory\/access\.log/);
  });
  test('an address of another machine', async () => {
    await fails(config({ listen: '192.0.2.1:8080' }), /192\.0\.2\.1:8080/);
  });
  test('without a file the environment decides', async (t) => {
    const empty = path.join(directory, 'empty');
    mkdirSync(empty);
    const address = `127.0.0.1:${reservedPort()}`;
    const child = new Child(['serve', '--listen', address, '--admin', '127.0.0.1:0'], { cwd: empty, environment: { OPENAI_API_KEY: 'sk-env' } });
    onEnd(t, () => child.stop());
    await child.said(/try: curl/);
    assert.match(child.stdout, /provider +openai/);
    assert.match(child.stdout, /provider +demo/);
    assert.ok(!child.stdout.includes('sk-env'));
    const response = await fetch(`http://${address}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"messages":[{"role":"user","content":"x"}]}' });
    assert.equal(response.status, 200);
  });
  test('sluice.yaml of the working directory is used', async (t) => {
    const own = path.join(directory, 'own');
    mkdirSync(own);
    writeFileSync(path.join(own, 'sluice.yaml'), config({ providers: { special: { type: 'mock' } } }));
    const child = new Child(['serve'], { cwd: own });
    onEnd(t, () => child.stop());
    await child.said(/provider +special/);
  });
  test('an access log on standard output', async (t) => {
    const text = config({ telemetry: { access_log: { path: 'stdout' } } });
    const gateway = await Gateway.start(t, text, { raw: true });
    await gateway.chat({ model: 'demo/x', messages: [{ role: 'user', content: 'x' }] });
    const line = await gateway.child.said(/^\{.*"outcome":"ok".*\}$/m);
    assert.equal(JSON.parse(line[0]).provider, 'demo');
  });
  test('no admin listener', async (t) => {
    const child = new Child(['serve', '-c', file(config({ admin: 'off' }))]);
    onEnd(t, () => child.stop());
    await child.said(/try: curl/);
    assert.ok(!/admin +http/.test(child.stdout));
  });
});

test('sluice mock says where it is, repeats itself by seed, and fails on demand', async (t) => {
  const ask = async (mock, headers = {}) => {
    const response = await fetch(`${mock.base}/chat/completions`, {
      method: 'POST', headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] }),
    });
    return response.status === 200 ? (await response.json()).choices[0].message.content : response.status;
  };
  const mocks = [await Mock.start(t, ['--seed', '7']), await Mock.start(t, ['--seed', '7']), await Mock.start(t, ['--seed', '8'])];
  const [a, b, c] = await Promise.all(mocks.map((mock) => ask(mock)));
  assert.equal(a, b);
  assert.notEqual(a, c);
  assert.equal(await ask(mocks[0], { 'x-mock-fault': 'status=503' }), 503);
  const faulty = await Mock.start(t, ['--fault-rate', '1', '--faults', 'status=500,status=429']);
  assert.ok([500, 429].includes(await ask(faulty)));
  const listing = await Mock.start(t, ['--models', 'x,y']);
  const models = await (await fetch(`${listing.base}/models`)).json();
  assert.deepEqual(models.data.map((model) => model.id), ['x', 'y']);
});
