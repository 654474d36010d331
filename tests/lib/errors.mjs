// What every error of ours looks like.
import assert from 'node:assert/strict';

/** The error object of an answer body, checked for its form, status, code and message. */
export function assertError(actual, { status, code, message, type }) {
  const body = typeof actual.body === 'string' || Buffer.isBuffer(actual.body) ? JSON.parse(actual.body) : actual.body;
  const said = JSON.stringify(body);
  assert.equal(actual.status, status, said);
  assert.deepEqual(Object.keys(body), ['error'], said);
  assert.deepEqual(Object.keys(body.error).sort(), ['code', 'message', 'param', 'type'], said);
  assert.equal(body.error.type, type ?? (status >= 500 ? 'server_error' : 'invalid_request_error'), said);
  assert.equal(body.error.code, code, said);
  assert.match(body.error.message, message, said);
  return body.error;
}

/** The same for an answer of `fetch`. */
export async function assertFetchError(response, expected) {
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
  return assertError({ status: response.status, body: await response.text() }, expected);
}
