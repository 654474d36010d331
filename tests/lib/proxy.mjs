// An HTTP proxy: CONNECT, and absolute targets. Whatever host is asked for, it connects to the loopback.
import http from 'node:http';
import net from 'node:net';
import { onEnd } from './process.mjs';

export async function startProxy(t, { credentials } = {}) {
  const proxy = { asked: [] };
  const authorized = (request) =>
    !credentials || request.headers['proxy-authorization'] === `Basic ${Buffer.from(credentials).toString('base64')}`;
  const server = http.createServer((request, response) => {
    proxy.asked.push(`${request.method} ${request.url}`);
    const url = new URL(request.url);
    url.hostname = '127.0.0.1';
    const forwarded = http.request(url, { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    forwarded.on('error', () => response.writeHead(502).end());
    request.pipe(forwarded);
  });
  server.on('connect', (request, socket) => {
    proxy.asked.push(`CONNECT ${request.url}`);
    socket.on('error', () => {});
    if (!authorized(request)) return socket.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n');
    const target = net.connect(request.url.split(':')[1], '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(target).pipe(socket);
    });
    target.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n'));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy.port = server.address().port;
  proxy.url = `http://127.0.0.1:${proxy.port}`;
  onEnd(t, () => {
    server.close();
    server.closeAllConnections();
  });
  return proxy;
}
