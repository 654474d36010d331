// The chaos gate: a TCP proxy that spoils the traffic between two peers, each direction by rules of its own.
//
// Rules, all optional; counts are bytes of that direction, from the start of the connection:
//   delay: ms           each piece waits so long
//   slice: n            is passed on in pieces of at most n bytes, each in a write of its own
//   bytesPerSecond: n   is passed on at that rate
//   corruptAt: n        the byte at this offset is changed (all its bits if `corruptWith` does not say which)
//   cutAfter: n         after so many bytes the connection ends, with a FIN on both sides, or with a reset if `reset`
//   stallAfter: n       after so many bytes nothing more passes, and both connections stay open
import net from 'node:net';
import { setImmediate as soon, setTimeout as sleep } from 'node:timers/promises';

export class Gate {
  /** Listens on a port of its own and passes on to `target` on the loopback. */
  static async start(target, rules = {}) {
    const gate = new Gate();
    gate.target = target;
    gate.rules = rules;
    gate.server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => gate.accept(client));
    await new Promise((resolve) => gate.server.listen(0, '127.0.0.1', resolve));
    gate.port = gate.server.address().port;
    return gate;
  }

  /** Of connections made from now on: `{toServer, toClient}`. */
  rules = {};
  connections = 0;
  sockets = new Set();

  accept(client) {
    const { toServer = {}, toClient = {} } = this.rules;
    this.connections += 1;
    const server = net.connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.on('error', () => this.end(client, server));
      socket.on('close', () => this.sockets.delete(socket));
    }
    pump(client, server, toServer).catch(() => this.end(client, server));
    pump(server, client, toClient).catch(() => this.end(client, server));
  }
  end(...sockets) {
    for (const socket of sockets) socket.destroy();
  }
  stop() {
    this.server.close();
    this.end(...this.sockets);
  }
}

/** Carries one direction to its end. */
async function pump(from, to, rules) {
  let passed = 0;
  const limit = Math.min(rules.cutAfter ?? Infinity, rules.stallAfter ?? Infinity);
  if (limit === 0) return strike(from, to, rules);
  for await (const data of from.iterator({ destroyOnReturn: false })) {
    if (rules.delay) await sleep(rules.delay);
    const bytes = spoil(data, passed, rules).subarray(0, limit - passed);
    for (const piece of pieces(bytes, rules.slice)) {
      if (rules.bytesPerSecond) await sleep((piece.length * 1000) / rules.bytesPerSecond);
      await write(to, piece);
      if (rules.slice) await soon();
    }
    passed += bytes.length;
    if (passed === limit) return strike(from, to, rules);
  }
  to.end();
}

function spoil(data, passed, { corruptAt, corruptWith = 0xff }) {
  if (corruptAt === undefined || corruptAt < passed || corruptAt >= passed + data.length) return data;
  const copy = Buffer.from(data);
  copy[corruptAt - passed] ^= corruptWith;
  return copy;
}

function* pieces(bytes, size = bytes.length) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function write(socket, bytes) {
  if (socket.destroyed) throw new Error('the other side is gone');
  if (socket.write(bytes)) return;
  await new Promise((resolve, reject) => {
    socket.once('drain', resolve);
    socket.once('close', () => reject(new Error('the other side is gone')));
  });
}

async function strike(from, to, rules) {
  if (rules.cutAfter === undefined || rules.stallAfter < rules.cutAfter) {
    from.pause();
    return;  // a stall: both stay open until one side gives up
  }
  if (rules.reset) {
    from.resetAndDestroy();
    to.resetAndDestroy();
    return;
  }
  await new Promise((resolve) => to.end(resolve));
  from.destroy();
}
