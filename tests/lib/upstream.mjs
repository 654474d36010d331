// Upstreams that do just what a test wants: HTTP by a function, or bytes by hand.
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { onEnd } from './process.mjs';

function listen(server) {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
}

/** `handler(request, response, body)`; requests are kept in `requests` with their raw headers and whole body. */
export async function startUpstream(t, handler = answerOk, { tls, readBody = true } = {}) {
  const upstream = { requests: [], connections: 0, aborted: 0 };
  const serve = async (request, response) => {
    const record = { method: request.method, url: request.url, headers: request.headers, rawHeaders: request.rawHeaders };
    upstream.requests.push(record);
    request.on('error', () => (upstream.aborted += 1));
    if (!readBody) return handler(request, response);
    const pieces = [];
    try {
      for await (const piece of request) pieces.push(piece);
    } catch {
      return;
    }
    record.body = Buffer.concat(pieces);
    record.trailers = request.trailers;
    record.whole = request.complete;
    await handler(request, response, record.body);
  };
  const server = tls ? https.createServer(tls, serve) : http.createServer(serve);
  server.keepAliveTimeout = 60_000;
  server.on(tls ? 'secureConnection' : 'connection', () => (upstream.connections += 1));
  upstream.server = server;
  upstream.port = await listen(server);
  upstream.url = `${tls ? 'https' : 'http'}://127.0.0.1:${upstream.port}`;
  upstream.base = `${upstream.url}/v1`;
  onEnd(t, () => {
    server.close();
    server.closeAllConnections();
  });
  return upstream;
}

export function answerOk(request, response) {
  response.setHeader('content-type', 'application/json');
  response.end('{"object":"ok"}');
}

/** `onConnection(socket)` speaks for the upstream. */
export async function startBytes(t, onConnection) {
  const sockets = new Set();
  const upstream = { connections: 0, sockets };
  const server = net.createServer({ noDelay: true }, (socket) => {
    upstream.connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  upstream.port = await listen(server);
  upstream.base = `http://127.0.0.1:${upstream.port}/v1`;
  onEnd(t, () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return upstream;
}

/** Calls `whenAsked(socket, bytes)` for each whole request with a Content-Length or none. */
export function onRequest(socket, whenAsked) {
  let seen = Buffer.alloc(0);
  socket.on('data', (data) => {
    seen = Buffer.concat([seen, data]);
    for (let end; (end = seen.indexOf('\r\n\r\n')) >= 0; ) {
      const head = seen.subarray(0, end + 4).toString('latin1');
      const length = Number(/^content-length: *(\d+)\r$/im.exec(head)?.[1] ?? 0);
      if (seen.length < end + 4 + length) return;
      const request = seen.subarray(0, end + 4 + length);
      seen = seen.subarray(end + 4 + length);
      whenAsked(socket, request);
    }
  });
}

/** An answer's bytes with a Content-Length. */
export function answer(status, headers, body) {
  const lines = Object.entries({ ...headers, 'content-length': Buffer.byteLength(body) }).map(([k, v]) => `${k}: ${v}`);
  return `HTTP/1.1 ${status} X\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

export const streamHead =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
export const chunk = (text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
export const chatEvent = (content, more = {}) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: null }], ...more })}\n\n`;
export const done = 'data: [DONE]\n\n';
