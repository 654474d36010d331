// A bad network on each side of the gateway, at many places of the conversation. Whatever happens, the client is never
// left hanging, never takes a broken answer for a whole one, and the gateway is as good as new afterwards.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Gateway, Mock, question } from '../lib/gateway.mjs';
import { eventually, sanitized, within } from '../lib/process.mjs';
import { Incomplete, RawClient, chatRequest } from '../lib/raw.mjs';
import { readChat } from '../lib/sse.mjs';
import { Gate } from './gate.mjs';

const lanes = 8;
const mock = await Mock.start();
const gates = await Promise.all(Array.from({ length: lanes }, () => Gate.start(mock.port)));
const timeouts = { connect: '1s', first_token: '300ms', between_tokens: '300ms' };
const providers = Object.fromEntries(gates.map((gate, lane) => {
  // No connection is kept: each request meets the rules of its own.
  return [`gate${lane}`, { type: 'openai', base_url: `http://127.0.0.1:${gate.port}/v1`, timeouts, max_idle_connections: 0 }];
}));
const gateway = await Gateway.start(undefined, {
  keep_alive_comment: 'off',
  providers: { ...providers, mock: { type: 'openai', base_url: mock.base } },
  limits: { header_timeout: '300ms', body_timeout: '300ms', write_stall_timeout: '1s', idle_timeout: '500ms' },
});
const fronts = await Promise.all(Array.from({ length: lanes }, () => Gate.start(gateway.port)));
after(() => [...gates, ...fronts].forEach((gate) => gate.stop()));

const headers = { 'x-mock-tokens': '40' };
const ask = (provider, stream) =>
  chatRequest({ ...question('chaos'), model: `${provider}/m`, stream, ...(stream && { stream_options: { include_usage: true } }) }, headers);

/** One answer, or nothing if the connection ended before its head. */
async function converse(port, bytes) {
  const client = await RawClient.connect(port).catch((error) => error);
  if (client.code === 'ECONNRESET') return undefined;
  try {
    return await within(client.send(bytes).response(), 'the end of the conversation');
  } catch (error) {
    if (error instanceof Incomplete) return undefined;
    throw error;
  } finally {
    client.close();
  }
}

const whole = {
  stream: (await converse(gateway.port, ask('mock', true))).text,
  plain: (await converse(gateway.port, ask('mock', false))).text,
};
assert.ok(readChat(whole.stream).done);
// More than any message of these conversations has, so that the last cuts cut nothing.
const answerBytes = whole.stream.length + 700;
const requestBytes = ask('gate0', true).length + 400;

/** The head densely, the rest in steps. */
function* offsets(total, dense, steps) {
  for (let at = 0; at < dense; at += Math.ceil(dense / 24)) yield at;
  for (let i = 0; i <= steps; ++i) yield Math.floor(dense + ((total - dense) * i) / steps);
}

/** Ours, or the mock's about a request that a spoilt byte made wrong. */
function isError(response) {
  const { error } = response.json;
  return error.message.length > 5 && typeof error.type === 'string' && (response.status < 500 || typeof error.code === 'string');
}

/** No answer is broken in secret. `strict`: what is whole is also right. */
function honest(response, stream, { strict = true, none = false } = {}) {
  if (!response) return assert.ok(none, 'the connection ended without a word');
  if (response.status !== 200) return assert.ok(!response.complete || isError(response), response.text);
  if (!response.complete || !strict) return;
  if (!stream) return assert.equal(response.text, whole.plain);
  const said = readChat(response.text);
  if (said.done) return assert.equal(response.text, whole.stream);
  assert.ok(said.error, `a clean end of a broken stream: ${response.text.slice(-200)}`);
  assert.equal(said.rest, '');
  assert.ok(whole.stream.startsWith(response.text.slice(0, response.text.lastIndexOf('data: {"error"'))));
}

/** Tries all `cases` on all lanes at once: `act(lane, value)`. */
async function onLanes(cases, act) {
  const queue = [...cases];
  await Promise.all(Array.from({ length: lanes }, async (_, lane) => {
    for (let value; (value = queue.shift()) !== undefined; ) {
      try {
        await act(lane, value);
      } catch (error) {
        error.message = `at ${JSON.stringify(value)}: ${error.message}`;
        throw error;
      }
    }
  }));
  await asGoodAsNew();
}
async function asGoodAsNew() {
  for (const gate of gates) gate.rules = {};
  for (const front of fronts) front.rules = {};
  assert.equal((await converse(gateway.port, ask('mock', true))).text, whole.stream);
  await eventually(async () => (await gateway.metric('sluice_streams')) === 0, 'no exchange left');
  await eventually(async () => (await mock.stats()).live_streams === 0, 'no stream left at the mock');
}

const steps = sanitized ? 10 : 30;
const forms = [['streamed', true], ['whole', false]];

describe('between gateway and provider', () => {
  const upstream = (rules) => async (lane, stream, options) => {
    gates[lane].rules = rules;
    honest(await converse(gateway.port, ask(`gate${lane}`, stream)), stream, options);
  };
  for (const [form, stream] of forms) {
    for (const reset of [false, true]) {
      test(`the answer is cut (${form}, ${reset ? 'reset' : 'closed'})`, async () => {
        await onLanes(offsets(answerBytes, 500, steps), (lane, cutAfter) => upstream({ toClient: { cutAfter, reset } })(lane, stream));
      });
      test(`the request is cut (${form}, ${reset ? 'reset' : 'closed'})`, async () => {
        await onLanes(offsets(requestBytes, requestBytes - 10, 4), (lane, cutAfter) => upstream({ toServer: { cutAfter, reset } })(lane, stream));
      });
    }
    test(`the answer stalls (${form})`, async () => {
      await onLanes(offsets(answerBytes, 500, steps), (lane, stallAfter) => upstream({ toClient: { stallAfter } })(lane, stream));
    });
    test(`the request stalls (${form})`, async () => {
      await onLanes(offsets(requestBytes, requestBytes - 10, 4), (lane, stallAfter) => upstream({ toServer: { stallAfter } })(lane, stream));
    });
    test(`a byte of the answer is corrupted (${form})`, async () => {
      const cases = [...offsets(answerBytes, 500, steps)].flatMap((at) => [0xff, 0x01].map((bits) => [at, bits]));
      await onLanes(cases, (lane, [corruptAt, corruptWith]) => upstream({ toClient: { corruptAt, corruptWith } })(lane, stream, { strict: false }));
    });
    test(`a byte of the request is corrupted (${form})`, async () => {
      const cases = [...offsets(requestBytes, requestBytes - 10, 4)].flatMap((at) => [0xff, 0x20].map((bits) => [at, bits]));
      await onLanes(cases, (lane, [corruptAt, corruptWith]) => upstream({ toServer: { corruptAt, corruptWith } })(lane, stream, { strict: false }));
    });
    test(`single bytes, delays and a low rate change nothing (${form})`, async () => {
      const cases = [
        { toClient: { slice: 1 } }, { toServer: { slice: 1 } }, { toClient: { slice: 3 }, toServer: { slice: 3 } },
        { toClient: { delay: 20 } }, { toServer: { delay: 20 } }, { toClient: { bytesPerSecond: 50_000, slice: 500 } },
      ];
      await onLanes(cases, async (lane, rules) => {
        gates[lane].rules = rules;
        const response = await converse(gateway.port, ask(`gate${lane}`, stream));
        assert.equal(response.text, stream ? whole.stream : whole.plain);
      });
    });
  }
});

describe('between client and gateway', () => {
  const front = (rules) => async (lane, stream) => {
    fronts[lane].rules = rules;
    return converse(fronts[lane].port, ask('mock', stream));
  };
  for (const [form, stream] of forms) {
    for (const reset of [false, true]) {
      test(`the request is cut (${form}, ${reset ? 'reset' : 'closed'})`, async () => {
        await onLanes(offsets(requestBytes, requestBytes - 10, 4), async (lane, cutAfter) => {
          honest(await front({ toServer: { cutAfter, reset } })(lane, stream), stream, { none: true });
        });
      });
      test(`the answer is cut (${form}, ${reset ? 'reset' : 'closed'})`, async () => {
        await onLanes(offsets(answerBytes, 500, steps), async (lane, cutAfter) => {
          honest(await front({ toClient: { cutAfter, reset } })(lane, stream), stream, { none: true });
        });
      });
    }
    test(`the request stalls (${form})`, async () => {
      await onLanes(offsets(requestBytes, requestBytes - 10, 4), async (lane, stallAfter) => {
        const response = await front({ toServer: { stallAfter } })(lane, stream);
        honest(response, stream, { none: stallAfter === 0 });
        if (response && response.status !== 200) assert.equal(response.status, 408);
      });
    });
    test(`a byte of the request is corrupted (${form})`, async () => {
      const cases = [...offsets(requestBytes, requestBytes - 10, 4)].flatMap((at) => [0xff, 0x20].map((bits) => [at, bits]));
      await onLanes(cases, async (lane, [corruptAt, corruptWith]) => {
        honest(await front({ toServer: { corruptAt, corruptWith } })(lane, stream), stream, { strict: false, none: true });
      });
    });
    test(`single bytes, delays and a low rate change nothing (${form})`, async () => {
      const cases = [
        { toClient: { slice: 1 } }, { toServer: { slice: 1 } }, { toClient: { delay: 20 } }, { toServer: { delay: 20 } },
        { toClient: { bytesPerSecond: 50_000, slice: 500 } },
      ];
      await onLanes(cases, async (lane, rules) => {
        assert.equal((await front(rules)(lane, stream)).text, stream ? whole.stream : whole.plain);
      });
    });
  }
});

test('everything at once, for many requests', async () => {
  let seed = 4711;
  const random = (below) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return seed % below;
  };
  const rule = () => [{}, { cutAfter: random(6000), reset: random(2) === 1 }, { slice: 1 + random(50) }, { delay: random(10) }, { stallAfter: random(6000) }][random(5)];
  await onLanes(Array.from({ length: sanitized ? 100 : 400 }, (_, i) => i), async (lane, i) => {
    gates[lane].rules = { toClient: rule(), toServer: i % 3 === 0 ? rule() : {} };
    fronts[lane].rules = { toClient: i % 4 === 0 ? rule() : {}, toServer: {} };
    const stream = i % 2 === 0;
    // A client whose own line stalls waits for himself: he gives up.
    const patient = converse(fronts[lane].port, ask(`gate${lane}`, stream));
    if (fronts[lane].rules.toClient.stallAfter === undefined) return honest(await patient, stream, { none: true });
    await Promise.race([patient, new Promise((resolve) => setTimeout(resolve, 200))]);
    patient.catch(() => {});
  });
});
