// The official OpenAI SDK through the gateway, in front of our own mock and of an independent one: what an application
// sees must be what it would see without us.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import OpenAI, { APIUserAbortError, toFile } from 'openai';
import { answers, startAimock } from '../lib/aimock.mjs';
import { Gateway, Mock } from '../lib/gateway.mjs';
import { eventually } from '../lib/process.mjs';

const mock = await Mock.start();
const aimock = await startAimock();
const gateway = await Gateway.start(undefined, {
  providers: {
    mock: { type: 'openai', base_url: mock.base, api_key: 'sk-mock' },
    aimock: { type: 'openai', base_url: `${aimock.url}/v1`, api_key: 'sk-aimock' },
  },
});

const sdk = (options = {}) =>
  new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'sk-of-the-client', maxRetries: 0, timeout: 20_000, ...options });
const client = sdk();
const user = (content) => [{ role: 'user', content }];
const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' }, unit: { type: 'string' } }, required: ['city'] },
  },
};

async function textOf(stream) {
  let text = '';
  let finish;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? '';
    finish = chunk.choices[0]?.finish_reason ?? finish;
  }
  return { text, finish };
}

function sameForBoth(provider) {
  const model = `${provider}/gpt-4o-mini`;

  test('a chat answer as a whole', async () => {
    const answer = await client.chat.completions.create({ model, messages: user('greet me') });
    assert.equal(answer.object, 'chat.completion');
    assert.equal(answer.choices[0].finish_reason, 'stop');
    assert.ok(answer.choices[0].message.content.length > 0);
    assert.ok(answer.usage.total_tokens > 0);
    if (provider === 'aimock') assert.equal(answer.choices[0].message.content, answers.greeting);
  });

  test('a streamed answer says the same', async () => {
    const messages = user('greet me');
    const whole = await client.chat.completions.create({ model, messages });
    const streamed = await textOf(await client.chat.completions.create({ model, messages, stream: true }));
    assert.deepEqual(streamed, { text: whole.choices[0].message.content, finish: 'stop' });
  });

  test('the usage of a stream comes when it is asked for, and only then', async () => {
    const request = { model, messages: user('greet me'), stream: true };
    const usages = async (more) => {
      const seen = [];
      for await (const chunk of await client.chat.completions.create({ ...request, ...more })) {
        if (chunk.usage) seen.push(chunk);
      }
      return seen;
    };
    const asked = await usages({ stream_options: { include_usage: true } });
    assert.equal(asked.length, 1);
    assert.ok(asked[0].usage.completion_tokens > 0);
    assert.deepEqual(asked[0].choices, []);
    assert.deepEqual(await usages({}), []);
  });

  test('the SDK\'s own stream helper assembles the answer', async () => {
    const runner = client.chat.completions.stream({ model, messages: user('tell me a story') });
    const deltas = [];
    runner.on('content', (delta) => deltas.push(delta));
    const final = await runner.finalChatCompletion();
    assert.ok(deltas.length > 1, 'it came in pieces');
    assert.equal(final.choices[0].message.content, deltas.join(''));
  });

  test('a tool call as a whole and streamed', async () => {
    const request = { model, messages: user('call tool get_weather'), tools: [weather] };
    const whole = await client.chat.completions.create(request);
    assert.equal(whole.choices[0].finish_reason, 'tool_calls');
    const call = whole.choices[0].message.tool_calls[0];
    assert.equal(call.function.name, 'get_weather');
    assert.equal(typeof JSON.parse(call.function.arguments).city, 'string');
    const streamed = await client.chat.completions.stream(request).finalChatCompletion();
    assert.equal(streamed.choices[0].message.tool_calls[0].function.name, 'get_weather');
    assert.equal(streamed.choices[0].message.tool_calls[0].function.arguments, call.function.arguments);
  });

  test('the Responses API as a whole and streamed', async () => {
    const request = { model, input: 'greet me' };
    const whole = await client.responses.create(request);
    assert.equal(whole.status, 'completed');
    assert.ok(whole.output_text.length > 0);
    const types = [];
    let text = '';
    let final;
    for await (const event of await client.responses.create({ ...request, stream: true })) {
      types.push(event.type);
      if (event.type === 'response.output_text.delta') text += event.delta;
      if (event.type === 'response.completed') final = event.response;
    }
    assert.equal(types[0], 'response.created');
    assert.equal(types.at(-1), 'response.completed');
    assert.equal(text, whole.output_text);
    assert.ok(provider === 'aimock' || final.usage.output_tokens > 0);
  });

  test('embeddings, as numbers and as base64', async () => {
    const embed = (encoding_format) =>
      client.embeddings.create({ model: `${provider}/text-embedding-3-small`, input: 'a sentence', encoding_format });
    const numbers = (await embed('float')).data[0].embedding;
    assert.ok(numbers.length > 0 && numbers.every((number) => typeof number === 'number'));
    if (provider === 'aimock') return;  // it sends numbers, whatever is asked for
    const packed = (await embed('base64')).data[0].embedding;
    assert.equal(typeof packed, 'string');
    const unpacked = Array.from(new Float32Array(Uint8Array.from(Buffer.from(packed, 'base64')).buffer));
    assert.deepEqual(unpacked, Array.from(new Float32Array(numbers)));
    // Without a wish the SDK asks for base64 by itself and unpacks it.
    const usual = await client.embeddings.create({ model: `${provider}/text-embedding-3-small`, input: 'a sentence' });
    assert.deepEqual(Array.from(usual.data[0].embedding), unpacked);
  });

  test('a file upload', async () => {
    const content = Buffer.from(Array.from({ length: 200 }, (_, i) => `{"custom_id":"${i}"}\n`).join(''));
    const file = await toFile(content, 'batch.jsonl', { type: 'application/jsonl' });
    const options = { headers: { 'x-sluice-provider': provider } };
    const uploaded = await client.files.create({ file, purpose: 'batch' }, options);
    assert.equal(uploaded.object, 'file');
    if (provider === 'aimock') {
      assert.equal(uploaded.bytes, content.length);
      assert.equal(uploaded.filename, 'batch.jsonl');
      const back = await client.files.content(uploaded.id, options);
      assert.ok(Buffer.from(await back.arrayBuffer()).equals(content));
    } else {
      assert.ok(uploaded.bytes > content.length, 'the whole form');
    }
  });

  test('an answer that is aborted in the middle ends at the upstream too', async () => {
    const controller = new AbortController();
    const headers = { 'x-mock-between-tokens': '20ms', 'x-mock-tokens': '2000' };
    const cancelled = (await mock.stats()).cancelled_streams;
    const stream = await client.chat.completions.create(
      { model, messages: user('slow story'), stream: true },
      { signal: controller.signal, headers },
    );
    let chunks = 0;
    const reading = async () => {
      for await (const chunk of stream) if (chunk && ++chunks === 3) controller.abort();
    };
    // The SDK ends the loop quietly or with its own error, by where the abort strikes.
    await reading().catch((error) => assert.ok(error instanceof APIUserAbortError, String(error)));
    assert.ok(chunks >= 3 && chunks < 1000);
    if (provider === 'mock') await eventually(async () => (await mock.stats()).cancelled_streams === cancelled + 1);
  });
}

describe('in front of sluice mock', () => sameForBoth('mock'));
describe('in front of aimock', () => sameForBoth('aimock'));

test('several choices', async () => {
  const answer = await client.chat.completions.create({ model: 'mock/m', messages: user('hi'), n: 3 });
  assert.deepEqual(answer.choices.map((choice) => choice.index), [0, 1, 2]);
});

test('legacy completions as a whole and streamed', async () => {
  const request = { model: 'mock/gpt-3.5-turbo-instruct', prompt: 'Once upon a time', max_tokens: 20 };
  const whole = await client.completions.create(request);
  assert.equal(whole.object, 'text_completion');
  let text = '';
  for await (const chunk of await client.completions.create({ ...request, stream: true })) {
    text += chunk.choices[0]?.text ?? '';
  }
  assert.equal(text, whole.choices[0].text);
});

test('structured output is parsed by the SDK', async () => {
  const schema = {
    type: 'object',
    properties: { name: { type: 'string' }, age: { type: 'integer' } },
    required: ['name', 'age'],
    additionalProperties: false,
  };
  const answer = await client.chat.completions.create({
    model: 'mock/m',
    messages: user('who?'),
    response_format: { type: 'json_schema', json_schema: { name: 'person', strict: true, schema } },
  });
  const person = JSON.parse(answer.choices[0].message.content);
  assert.equal(typeof person.name, 'string');
  assert.equal(Number.isInteger(person.age), true);
});

test('the models of all providers are listed under the names that work', async () => {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  assert.ok(ids.includes('mock/demo-small'), ids.join());
  assert.ok(ids.some((id) => id.startsWith('aimock/')), ids.join());
  assert.equal(new Set(ids).size, ids.length);
});

describe('errors reach the SDK with status, code and message', () => {
  const refused = async (request, options, check) => {
    await assert.rejects(client.chat.completions.create({ messages: user('hi'), ...request }, options), check);
  };
  const like = (status, code, message, type) => (error) => {
    assert.ok(error instanceof OpenAI.APIError, String(error));
    assert.equal(error.status, status);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    if (type) assert.equal(error.type, type);
    assert.ok(error.requestID, 'a request id');
    return true;
  };

  test('an unknown model', async () => {
    await refused({ model: 'gpt-9' }, {}, like(404, 'model_not_found', /no model "gpt-9"/, 'invalid_request_error'));
  });
  test('a rate limit of the upstream, with the time to wait', async () => {
    const headers = { 'x-mock-fault': 'status=429;retry-after=7' };
    await refused({ model: 'mock/m' }, { headers }, (error) => {
      assert.ok(error instanceof OpenAI.RateLimitError);
      assert.equal(error.headers.get('retry-after'), '7');
      return like(429, 'rate_limit_exceeded', /Rate limit reached/, 'requests')(error);
    });
  });
  test('a rate limit of aimock', async () => {
    await refused({ model: 'aimock/m', messages: user('too many requests') }, {},
      like(429, 'rate_limit_exceeded', /Rate limit reached/));
  });
  for (const [status, code, kind] of [
    [400, null, OpenAI.BadRequestError],
    [401, 'invalid_api_key', OpenAI.AuthenticationError],
    [404, 'model_not_found', OpenAI.NotFoundError],
    [500, null, OpenAI.InternalServerError],
    [503, 'overloaded', OpenAI.InternalServerError],
  ]) {
    test(`status ${status} of the upstream`, async () => {
      await refused({ model: 'mock/m' }, { headers: { 'x-mock-fault': `status=${status}` } }, (error) => {
        assert.ok(error instanceof kind, error.constructor.name);
        return like(status, code, /mock fault/)(error);
      });
    });
  }
  test('a request that the upstream finds wrong', async () => {
    await refused({ model: 'mock/m', messages: undefined }, {}, like(400, 'missing_required_parameter', /messages/));
  });
  test('a stream that breaks is an error, not an end', async () => {
    for (const fault of ['cut-after=4', 'reset-after=4', 'truncate-after=4', 'error-event-after=4']) {
      const stream = await client.chat.completions.create(
        { model: 'mock/m', messages: user('hi'), stream: true },
        { headers: { 'x-mock-fault': fault } },
      );
      await assert.rejects(textOf(stream), (error) => error instanceof OpenAI.APIError, fault);
    }
  });
});

test('the SDK retries by itself what the upstream refuses for a moment', async () => {
  const before = (await mock.stats()).requests;
  const headers = { 'x-mock-fault': 'status=503;retry-after=0' };
  await assert.rejects(
    sdk({ maxRetries: 1 }).chat.completions.create({ model: 'mock/m', messages: user('hi') }, { headers }),
    OpenAI.InternalServerError,
  );
  assert.equal((await mock.stats()).requests, before + 2);
});

test('no exchange is left behind', async () => {
  await eventually(async () => (await gateway.metric('sluice_streams')) === 0, 'the end of all exchanges');
});
