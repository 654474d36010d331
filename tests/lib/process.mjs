// Child processes of the tests: started on ports that the system chooses, watched for crashes, ended with the test.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const binary = path.resolve(root, process.env.SLUICE_BIN ?? 'build/sluice');

/** Sanitizers slow everything down: waits and counts are scaled by this. */
export const sanitized = /asan|tsan/.test(binary);
export const patience = sanitized ? 60_000 : 20_000;

const sanitizerReport = /(Address|Leak|Thread|UndefinedBehavior)Sanitizer|runtime error:|terminate called|Assertion .* failed/;

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Calls `probe` until it gives something truthy, which is returned. Errors of the probe count as "not yet". */
export async function eventually(probe, what = 'the condition', deadline = patience) {
  const end = Date.now() + deadline;
  let last;
  for (let pause = 2; ; pause = Math.min(pause * 1.5, 100)) {
    try {
      const value = await probe();
      if (value) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`${what} did not come true within ${deadline} ms`, { cause: last });
    await sleep(pause);
  }
}

/** Fails instead of hanging. */
export function within(promise, what = 'the operation', deadline = patience) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${deadline} ms`)), deadline);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const endings = new Map();

/** Cleans up at the end of the test `t`, or of the file if there is none; what came last goes first. */
export function onEnd(t, action) {
  if (!endings.has(t)) {
    const actions = [];
    endings.set(t, actions);
    const cleanUp = async () => {
      const failures = [];
      while (actions.length > 0) await Promise.resolve().then(actions.pop()).catch((error) => failures.push(error));
      endings.delete(t);
      if (failures.length > 0) throw failures[0];
    };
    if (t) t.after(cleanUp);
    else after(cleanUp);
  }
  endings.get(t).push(action);
}

export function temporaryDirectory(t) {
  const directory = mkdtempSync(path.join(tmpdir(), 'sluice-e2e-'));
  onEnd(t, () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

// Ports for those who need to know one beforehand: below the range that the system hands out, and apart from those of
// test files that run at the same time.
let nextPort = 12_000 + (process.pid % 1000) * 16;
export const reservedPort = () => nextPort++;

/** A running `sluice` with its output so far. */
export class Child {
  constructor(args, { environment = {}, cwd = root } = {}) {
    this.stdout = '';
    this.stderr = '';
    const { PATH, HOME, ASAN_OPTIONS, TSAN_OPTIONS, UBSAN_OPTIONS } = process.env;
    const env = { PATH, HOME, ASAN_OPTIONS, TSAN_OPTIONS, UBSAN_OPTIONS, ...environment };
    for (const name of Object.keys(env)) if (env[name] === undefined) delete env[name];
    this.process = spawn(binary, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout.setEncoding('utf8').on('data', (text) => (this.stdout += text));
    this.process.stderr.setEncoding('utf8').on('data', (text) => (this.stderr += text));
    this.exited = new Promise((resolve) => {
      this.process.on('error', (error) => resolve({ error }));
      this.process.on('close', (code, signal) => resolve({ code, signal }));
    });
    this.exited.then((result) => (this.result = result));
    // A test file that is killed must not leave its children behind.
    this.lastResort = () => this.process.kill('SIGKILL');
    process.once('exit', this.lastResort);
    this.exited.then(() => process.removeListener('exit', this.lastResort));
  }

  get pid() {
    return this.process.pid;
  }
  kill(signal) {
    this.process.kill(signal);
  }
  get output() {
    return `--- stdout of sluice ---\n${this.stdout.slice(-4000)}\n--- stderr of sluice ---\n${this.stderr.slice(-8000)}`;
  }

  /** The first match of `pattern` in the standard output. */
  async said(pattern) {
    return eventually(() => {
      const match = pattern.exec(this.stdout);
      if (!match && this.result) throw new Error(`sluice ended early: ${JSON.stringify(this.result)}`);
      return match;
    }, `output like ${pattern}`).catch((error) => {
      throw new Error(`${error.message}\n${this.output}`);
    });
  }

  /** Waits for the end and gives `{code, signal}`. */
  async end(deadline = patience) {
    return within(this.exited, 'the end of sluice', deadline);
  }

  /** Ends it in order, and throws if it had crashed, did not end, or a sanitizer complained. */
  async stop() {
    const early = this.result;
    if (!early) this.kill('SIGTERM');
    let result = early;
    try {
      result ??= await this.end();
    } catch (error) {
      this.kill('SIGKILL');
      throw new Error(`${error.message}\n${this.output}`);
    }
    this.mustBeClean();
    if (result.code !== 0 && !this.expectedExit) {
      throw new Error(`sluice ended ${early ? 'by itself ' : ''}with ${JSON.stringify(result)}\n${this.output}`);
    }
  }
  mustBeClean() {
    if (sanitizerReport.test(this.stderr)) throw new Error(`a report on stderr\n${this.output}`);
  }
}

/** Runs a command of sluice to its end: `{code, stdout, stderr}`. */
export async function run(args, options) {
  const child = new Child(args, options);
  const { code, signal, error } = await child.end().catch((late) => {
    child.kill('SIGKILL');
    throw new Error(`${late.message}: sluice ${args.join(' ')}\n${child.output}`);
  });
  if (error) throw error;
  child.mustBeClean();
  return { code, signal, stdout: child.stdout, stderr: child.stderr };
}
