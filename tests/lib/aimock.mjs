// The independent mock of the providers' APIs (npm @copilotkit/aimock) with the answers that the tests ask for.
import { LLMock } from '@copilotkit/aimock';
import { onEnd } from './process.mjs';

export const answers = {
  greeting: 'Good morning! How can I help you today? Ein schöner Tag, nicht wahr? 你好，世界。',
  long: 'The river carries the light of the early morning past the old stone bridge. '.repeat(12).trim(),
  weather: { city: 'Zürich', unit: 'celsius' },
};

export async function startAimock(t) {
  const mock = new LLMock({ port: 0, logLevel: 'silent', chunkSize: 12 });
  mock.onMessage('greet me', { content: answers.greeting });
  mock.onMessage('tell me a story', { content: answers.long });
  mock.onMessage('slow story', { content: answers.long }, { latency: 30 });
  mock.onMessage('call tool get_weather', {
    toolCalls: [{ name: 'get_weather', arguments: JSON.stringify(answers.weather) }],
  });
  mock.onMessage('too many requests', {
    error: { message: 'Rate limit reached for requests', type: 'requests', code: 'rate_limit_exceeded' },
    status: 429,
  });
  mock.onEmbedding('a sentence', { embedding: [0.25, -0.5, 0.125, 1] });
  await mock.start();
  onEnd(t, () => mock.stop());
  return mock;
}
