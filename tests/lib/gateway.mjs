// A gateway under test, and the mock model server that comes with it.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseMetrics } from './metrics.mjs';
import { Child, eventually, onEnd, temporaryDirectory } from './process.mjs';

const loopback = '127.0.0.1:0';

/** JSON is YAML: configurations of tests are objects, or text where the text matters. */
export const configText = (config) => (typeof config === 'string' ? config : JSON.stringify(config, null, 2));

export class Gateway {
  /**
   * Starts `sluice serve` and waits until it is ready. What the configuration leaves open is chosen for tests: ports by
   * the system, two workers, a short drain, the access log in a file.
   */
  static async start(t, config, { environment, args = [], directory = temporaryDirectory(t), raw = false } = {}) {
    const gateway = new Gateway();
    gateway.directory = directory;
    gateway.file = path.join(directory, 'sluice.yaml');
    gateway.logFile = path.join(directory, 'access.log');
    gateway.raw = raw;
    gateway.write(config);
    gateway.child = new Child(['serve', '-c', gateway.file, ...args], { environment, cwd: directory });
    onEnd(t, () => gateway.child.stop());
    const admin = await gateway.child.said(/^ *admin +http:\/\/(\S+):(\d+)/m);
    gateway.adminPort = Number(admin[2]);
    gateway.admin = `http://127.0.0.1:${gateway.adminPort}`;
    await gateway.child.said(/try: curl/);
    gateway.ports = [...gateway.child.stdout.matchAll(/^ *listens on +\w+:\/\/\S*?:(\d+) /gm)].map((m) => Number(m[1]));
    gateway.port = gateway.ports[0];
    gateway.url = `http://127.0.0.1:${gateway.port}`;
    await eventually(() => gateway.ready(), 'readiness');
    return gateway;
  }

  complete(config) {
    if (typeof config === 'string') return config;
    const telemetry = { access_log: { path: this.logFile }, ...config.telemetry };
    return { listen: loopback, admin: loopback, workers: 2, drain: '1s', ...config, telemetry };
  }
  /** Writes the configuration file in place. */
  write(config) {
    writeFileSync(this.file, configText(this.raw ? config : this.complete(config)));
  }
  /** Replaces the configuration file in one step, as careful editors do. */
  replace(config) {
    const next = `${this.file}.next`;
    writeFileSync(next, configText(this.complete(config)));
    renameSync(next, this.file);
  }

  get pid() {
    return this.child.pid;
  }
  get log() {
    return this.child.stderr;
  }

  async ready() {
    return (await fetch(`${this.admin}/readyz`)).status === 200;
  }
  async adminJson(target, options) {
    const response = await fetch(this.admin + target, options);
    return { status: response.status, body: await response.json() };
  }
  async reload() {
    return this.adminJson('/admin/reload', { method: 'POST' });
  }
  async revision() {
    return (await this.adminJson('/readyz')).body.revision;
  }
  async metricsText() {
    return (await fetch(`${this.admin}/metrics`)).text();
  }
  async metrics() {
    return parseMetrics(await this.metricsText());
  }
  /** The sum of one metric over all series that carry `labels`. */
  async metric(name, labels = {}) {
    return (await this.metrics()).sum(name, labels);
  }
  async streams() {
    return (await this.adminJson('/admin/streams')).body.streams;
  }

  accessLog() {
    let text = '';
    try {
      text = readFileSync(this.logFile, 'utf8');
    } catch {
      return [];
    }
    const lines = text.split('\n');
    lines.pop();  // empty, or a line that is being written
    return lines.map((line) => JSON.parse(line));
  }
  /** The access log's line of one request; it comes some milliseconds after the request's end. */
  async logged(requestId) {
    return eventually(() => this.accessLog().find((row) => row.id === requestId), `a log line of ${requestId}`);
  }

  /** A chat completion over fetch. */
  chat(body, { headers = {}, path: target = '/v1/chat/completions', ...options } = {}) {
    return fetch(this.url + target, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...options,
    });
  }
}

export class Mock {
  /** Starts `sluice mock`. `args` are its options, such as `--first-token 20ms`. */
  static async start(t, args = []) {
    const mock = new Mock();
    mock.child = new Child(['mock', '--listen', loopback, ...args]);
    onEnd(t, () => mock.child.stop());
    const match = await mock.child.said(/http:\/\/127\.0\.0\.1:(\d+)/);
    mock.port = Number(match[1]);
    mock.url = `http://127.0.0.1:${mock.port}`;
    mock.base = `${mock.url}/v1`;
    await eventually(async () => (await fetch(`${mock.url}/healthz`)).ok, 'the mock');
    return mock;
  }

  async stats() {
    return (await fetch(`${this.url}/mock/stats`)).json();
  }
  /** What it was asked, oldest first: method, target, headers (pairs; credentials as a hash), body. */
  async requests() {
    return (await (await fetch(`${this.url}/mock/requests`)).json()).requests;
  }
  async lastRequest() {
    return (await this.requests()).at(-1);
  }
  async clear() {
    await fetch(`${this.url}/mock/requests`, { method: 'DELETE' });
  }
}

/** A header of what the mock was asked, or undefined. */
export const headerOf = (request, name) => request.headers.find(([key]) => key.toLowerCase() === name)?.[1];

export const question = (text, more = {}) => ({ model: 'mock/m', messages: [{ role: 'user', content: text }], ...more });
