// An HTTP client that sends exactly the bytes it is told to, and reads answers without forgiving anything.
import assert from 'node:assert/strict';
import net from 'node:net';
import tls from 'node:tls';
import { within } from './process.mjs';

const crlf = Buffer.from('\r\n');

/** The end of the input came before the end of the message. */
export class Incomplete extends Error {}

export class RawClient {
  static async connect(port, { tls: secure, host = '127.0.0.1', readable = true } = {}) {
    const options = { port, host, allowHalfOpen: true, ...secure };
    const socket = secure ? tls.connect(options) : net.connect(options);
    const client = new RawClient(socket, readable);
    await within(
      new Promise((resolve, reject) => {
        socket.once(secure ? 'secureConnect' : 'connect', resolve);
        socket.once('error', reject);
      }),
      'connecting',
    );
    socket.setNoDelay(true);
    return client;
  }

  constructor(socket, readable = true) {
    this.socket = socket;
    this.buffer = Buffer.alloc(0);
    this.ended = undefined;  // 'end' (in order), 'reset' or 'closed'
    this.waiters = [];
    if (readable) socket.on('data', (data) => this.take(data));
    socket.on('end', () => this.finish('end'));
    socket.on('error', (error) => this.finish(error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'reset' : error.code));
    socket.on('close', () => this.finish('closed'));
  }
  take(data) {
    this.buffer = Buffer.concat([this.buffer, data]);
    this.wake();
  }
  finish(how) {
    this.ended ??= how;
    this.wake();
  }
  wake() {
    for (const waiter of this.waiters.splice(0)) waiter();
  }

  send(data) {
    if (!this.socket.destroyed) this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
    return this;
  }
  /** No more from us; the answer may still come. */
  finishSending() {
    this.socket.end();
    return this;
  }
  close() {
    this.socket.destroy();
  }
  /** Ends the connection with a reset. */
  reset() {
    this.socket.resetAndDestroy();
  }

  /** Waits until something new came or the connection is over. */
  async more(deadline) {
    if (this.ended) throw new Incomplete(`the connection ended (${this.ended})`);
    await within(new Promise((resolve) => this.waiters.push(resolve)), 'data', deadline);
  }
  async bytes(count, deadline) {
    while (this.buffer.length < count) await this.more(deadline);
    const bytes = this.buffer.subarray(0, count);
    this.buffer = this.buffer.subarray(count);
    return bytes;
  }
  /** Everything up to and including `marker`. */
  async until(marker, deadline) {
    const wanted = Buffer.from(marker);
    let at;
    while ((at = this.buffer.indexOf(wanted)) < 0) await this.more(deadline);
    return this.bytes(at + wanted.length);
  }
  /** Everything up to the end; how it ended is in `ended`. */
  async rest(deadline) {
    while (!this.ended) await this.more(deadline);
    const all = this.buffer;
    this.buffer = Buffer.alloc(0);
    return all;
  }
  async line() {
    return (await this.until(crlf)).subarray(0, -2).toString('latin1');
  }

  /** The head of an answer; interim answers (1xx) are answers too. */
  async head() {
    const status = /^HTTP\/1\.([01]) (\d{3})(?: (.*))?$/.exec(await this.line());
    assert.ok(status, 'a status line');
    const response = new RawResponse(Number(status[2]), Number(status[1]));
    for (let line; (line = await this.line()) !== ''; ) {
      const field = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*$/.exec(line);
      assert.ok(field, `a header field: ${line}`);
      response.headers.push([field[1].toLowerCase(), field[2]]);
    }
    return response;
  }

  /**
   * One whole answer. If the connection ends inside its body, `complete` is false and `body` is what came.
   * `onBody` sees the body's pieces as they come.
   */
  async response({ method = 'GET', onBody = () => {} } = {}) {
    const response = await this.head();
    if (response.status < 200 || response.status === 204 || response.status === 304 || method === 'HEAD') return response;
    const pieces = [];
    const take = (piece) => {
      pieces.push(piece);
      onBody(piece);
    };
    try {
      await this.body(response, take);
    } catch (error) {
      if (!(error instanceof Incomplete)) throw error;
      response.complete = false;
    }
    response.body = Buffer.concat(pieces);
    return response;
  }

  async body(response, take) {
    const length = response.get('content-length');
    const coding = response.get('transfer-encoding');
    assert.ok(!(length !== undefined && coding !== undefined), 'not both length and transfer coding');
    if (coding !== undefined) {
      assert.equal(coding, 'chunked');
      return this.chunks(response, take);
    }
    if (length === undefined) {
      assert.ok(response.minor === 0 || response.get('connection') === 'close', 'a body until close says so');
      while (!this.ended) {
        if (this.buffer.length > 0) take(await this.bytes(this.buffer.length));
        if (!this.ended) await this.more();
      }
      if (this.buffer.length > 0) take(await this.bytes(this.buffer.length));
      if (this.ended !== 'end') throw new Incomplete();
      return;
    }
    assert.match(length, /^\d+$/);
    await this.piecewise(Number(length), take);
  }
  async piecewise(left, take) {
    while (left > 0) {
      if (this.buffer.length === 0) await this.more();
      const piece = await this.bytes(Math.min(left, this.buffer.length));
      left -= piece.length;
      if (piece.length > 0) take(piece);
    }
  }
  async chunks(response, take) {
    while (true) {
      const size = await this.line();
      assert.match(size, /^[0-9a-fA-F]{1,16}$/, 'a chunk size without extras');
      if (parseInt(size, 16) === 0) break;
      await this.piecewise(parseInt(size, 16), take);
      assert.equal(await this.line(), '', 'CRLF after a chunk');
    }
    for (let line; (line = await this.line()) !== ''; ) {
      const colon = line.indexOf(':');
      response.trailers.push([line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]);
    }
  }
}

class RawResponse {
  headers = [];
  trailers = [];
  body = Buffer.alloc(0);
  complete = true;

  constructor(status, minor) {
    this.status = status;
    this.minor = minor;
  }
  get(name) {
    const values = this.headers.filter(([key]) => key === name).map(([, value]) => value);
    return values.length > 0 ? values.join(', ') : undefined;
  }
  get text() {
    return this.body.toString('utf8');
  }
  get json() {
    return JSON.parse(this.text);
  }
}

/** A request's bytes. */
export function request(method, target, headers = {}, body = '') {
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: gateway.test'];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (body.length > 0 && !('Transfer-Encoding' in headers) && !('Content-Length' in headers)) {
    lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  }
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(body)]);
}

export const chatRequest = (body, headers = {}) =>
  request('POST', '/v1/chat/completions', { 'Content-Type': 'application/json', ...headers }, JSON.stringify(body));

/** Sends one request on a connection of its own and gives the answer. */
export async function roundTrip(port, bytes, options = {}) {
  const client = await RawClient.connect(port, options);
  try {
    return await client.send(bytes).response(options);
  } finally {
    client.close();
  }
}
