// Child processes: servers that run beside the measurement, tools that print one JSON object. Every child is stopped by
// its own id, whatever way the run ends.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { app, root, scratch, tool } from './settings.mjs';

const readyPatienceMs = 90_000;
const stopPatienceMs = 10_000;
const refinePatienceMs = 3_000;
const living = new Set();
const calibrations = [];

/** The environment without settings of the caller's that would change what is measured. */
function environment(extra) {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(SPILLWAY__|SPILLWAY_SERVER$)/i.test(name)),
  );
  return { ...clean, ORT_DISABLE_TELEMETRY: '1', DOTNET_CLI_TELEMETRY_OPTOUT: '1', ...extra };
}

function launch(command, args, options) {
  const child = spawn(command, args, { cwd: root, ...options });
  living.add(child);
  child.once('exit', () => living.delete(child));
  return child;
}

export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a server and waits until it says that it is ready. Its output goes to artifacts/bench/logs/. */
async function startServer(name, command, args, env, port, cwd = root) {
  const logs = path.join(scratch, 'logs');
  fs.mkdirSync(logs, { recursive: true });
  const log = path.join(logs, `${name}.log`);
  const child = launch(command, args, { env: environment(env), cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const file = fs.createWriteStream(log);
  let text = '';
  const ready = new Promise((resolve, reject) => {
    const take = (chunk) => {
      file.write(chunk);
      if (text.length > 64 * 1024) return;
      text += chunk;
      if (/^NOT ready: .*/m.test(text)) reject(new Error(`${name}: ${text.match(/^NOT ready: .*/m)[0]}`));
      if (/^Ready: /m.test(text)) resolve();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`${name} ended with ${signal ?? code} before it was ready:\n${text.slice(-2000)}`)),
    );
  });
  ready.catch(() => {});
  const late = wait(readyPatienceMs, undefined, { ref: false }).then(() => {
    throw new Error(`${name} was not ready within ${readyPatienceMs / 1000} s; see ${log}`);
  });
  late.catch(() => {});
  await Promise.race([ready, late]);
  return { name, pid: child.pid, port, url: `http://127.0.0.1:${port}`, child, output: () => text };
}

/** `spillway up` on a free port. @param env settings as SPILLWAY__ variables. */
export async function startSpillway(name, config, env = {}) {
  const port = await freePort();
  const server = await startServer(
    name,
    'dotnet',
    [app, 'up', config],
    { SPILLWAY__SERVER__PORT: String(port), SPILLWAY__SERVER__GRPCPORT: '0', ...env },
    port,
  );
  await refined(server);
  return server;
}

/**
 * A server takes a longer look at its batch curve once it is ready, and only while nobody asks: give it that moment,
 * and keep what it decided, because a row means little without it.
 */
async function refined(server) {
  const until = Date.now() + refinePatienceMs;
  while (!/refined batch curve/.test(server.output()) && Date.now() < until) await wait(50);
  const said = server.output().match(/\S+ version \d+ is ready: .*|\S+: refined batch curve, .*/g) ?? [];
  calibrations.push(`${server.name}: ${said.map((line) => line.replace(/; loaded in .*/, '')).join('; ')}`);
}

/** What the servers of a row said about their batch curves; forgotten with the asking. */
export const takeCalibrations = () => calibrations.splice(0);

/** The bare Kestrel delegate that answers that many bytes. */
export async function startNull(answerBytes, held) {
  const port = await freePort();
  const more = held ? ['--batch', held.batch, '--busy-us', held.busyUs] : [];
  const args = [tool, 'null', '--port', port, '--bytes', answerBytes, ...more].map(String);
  return startServer(held ? 'held' : 'null', 'dotnet', args, {}, port);
}

/** The Node peer, one worker per core. */
export async function startPeer(model) {
  const port = await freePort();
  const file = path.join(scratch, `${model}.onnx`);
  return startServer(
    'node',
    process.execPath,
    [path.join(root, 'bench/peer-node/server.cjs'), '--port', String(port), '--model', `${model}=${file}`],
    {},
    port,
  );
}

/** An upstream of the gateway rows. */
export const startChat = (port) =>
  startServer('canned', process.execPath, [path.join(root, 'bench/peer-node/chat.cjs'), '--port', String(port)], {}, port);

/** An upstream that streams at a pace; see peer-node/streams.cjs. */
export const startPaced = (port, { events, gapMs, faultShare = 0 }) =>
  startServer('paced', process.execPath, [
    path.join(root, 'bench/peer-node/streams.cjs'),
    ...['--port', port, '--events', events, '--gap-ms', gapMs, '--fault-share', faultShare].map(String),
  ], {}, port);

/** The peer gateway, installed from its lock file where it is not there; it listens on 127.0.0.1 only. */
export async function startPortkey() {
  const folder = path.join(root, 'bench/peer-portkey');
  const start = path.join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  if (!fs.existsSync(start)) await capture('npm', ['ci', '--ignore-scripts', '--prefix', folder], [0]);
  const port = await freePort();
  const args = ['--require', path.join(folder, 'loopback.cjs'), start, '--headless', `--port=${port}`];
  return startServer('portkey', process.execPath, args, { NODE_ENV: 'production' }, port, path.dirname(path.dirname(start)));
}

/** Stops servers, the polite way first. */
export async function stop(...servers) {
  await Promise.all(servers.filter(Boolean).map(({ child }) => end(child)));
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const stubborn = setTimeout(() => child.kill('SIGKILL'), stopPatienceMs);
  await gone;
  clearTimeout(stubborn);
}

export async function stopAll() {
  await Promise.all([...living].map(end));
}

/** The last resort, when nothing can be awaited any more. */
export function killAll() {
  for (const child of living) child.kill('SIGKILL');
}

async function capture(command, args, allowed, { env = {}, input = '' } = {}) {
  const child = launch(command, args, { env: environment(env), stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (!allowed.includes(code)) {
    throw new Error(`${[command, ...args].join(' ')}\nended with ${code}: ${(err || out).trim().slice(-2000)}`);
  }
  return out;
}

/** Runs `spillway load … --json`; a run without an ok answer is an error unless that is what is measured. */
export async function load(args, { noneOk = false } = {}) {
  const all = [app, 'load', ...args.map(String), '--json'];
  return JSON.parse(await capture('dotnet', all, noneOk ? [0, 1] : [0]));
}

/** Runs a command of `spillway` that prints something and ends. */
export async function runSpillway(args, env = {}) {
  return capture('dotnet', [app, ...args.map(String)], [0], { env });
}

/** Runs a command of Spillway.Bench that prints one JSON object. */
export async function bench(...args) {
  return benchWith({}, ...args);
}

/** The same with environment variables. */
export async function benchWith(env, ...args) {
  return JSON.parse(await capture('dotnet', [tool, ...args.map(String)], [0], { env }));
}

/** `spillway canary`: proves a model, which fills the cache that its options name. The report that it prints. */
export async function prove(question) {
  const lines = await capture('dotnet', [app, 'canary'], [0], { input: JSON.stringify(question) });
  const said = lines.split('\n').filter((l) => l.startsWith('{')).map((l) => JSON.parse(l));
  return { ...said.find((l) => l.report)?.report, prepared: said.some((l) => l.prepared) };
}

/** Writes the generated models. */
export async function writeModels() {
  await capture('dotnet', [tool, 'models', scratch], [0]);
}
