// A closed loop over several servers in turns: round by round every server, then the raw limit, so that whatever the
// machine does in that minute happens to all of them.
import path from 'node:path';
import { cpus } from 'node:os';
import { bench, load, startNull, startPeer, startSpillway, stop } from './processes.mjs';
import { root, rounds, scratch, seconds } from './settings.mjs';
import { pair, spread } from './stats.mjs';
import { inferBinary, inferJson, meanBatch, metrics } from './wire.mjs';

export const cores = cpus().length;
export const row = path.join(scratch, 'row.json');
/** The runtime compiles what is hot anew for about ten seconds of load; what a server costs afterwards is measured. */
const warmUpSeconds = Math.min(12, seconds * 4);

export const configOf = (model) => path.join(root, 'bench/config', model);

/** Servers without metrics: neighbours. */
const bare = new Set(['null', 'held', 'node']);

/** The server with its defaults, and the same server with batching off. */
export const batchingOn = (model) => startSpillway('spillway', configOf(model));
export const batchingOff = (model) =>
  startSpillway('batching-off', configOf(model), {
    [`SPILLWAY__MODELS__${model.toUpperCase()}__BATCHING__BATCHROWSMAX`]: '1',
  });

/** The part of `spillway load`'s command line that says what is sent. */
export function content(format) {
  return format === 'json' ? ['--format', 'json', '--body', row] : ['--format', 'binary'];
}

/** Starts the server, a null handler with an answer of its size, and on request the peer, whose answer is compared. */
export async function startAll(model, format, { peer }) {
  const spillway = await batchingOn(model);
  const ours = format === 'json' ? await inferJson(spillway, model, row) : await inferBinary(spillway, model, [1, 784]);
  const servers = [spillway, await startNull(ours.bytes)];
  if (peer) {
    servers.push(await startPeer(model));
    sameNumbers(ours, await inferJson(servers[2], model, row));
  }
  return { servers, answerBytes: ours.bytes };
}

/** A fast server that answers something else is no result. */
function sameNumbers(ours, theirs) {
  const [mine, other] = [ours.outputs[0].data.flat(), theirs.outputs[0].data.flat()];
  if (mine.length !== other.length || mine.some((v, i) => Math.abs(v - other[i]) > 1e-3 * Math.max(1, Math.abs(v)))) {
    throw new Error(`The servers answer differently: ${mine} and ${other}.`);
  }
}

/** Command line of one round. */
export function loadArguments(servers, model, connections, what, length) {
  const targets = servers.flatMap((s) => [
    '--server',
    `${s.name}=${s.url}`,
    '--pid',
    `${s.name}=${s.pid}`,
    ...(s.name === 'null' || s.name === 'held' ? ['--path', `${s.name}:/null`] : ['--model', `${s.name}:${model}`]),
  ]);
  return [...targets, ...what, '--concurrency', connections, '--rounds', 1, '--duration', `${length}s`];
}

/**
 * Rounds of: every server for some seconds, then each raw run. Gives per server and per raw run the figures of each
 * round.
 */
export async function race({ servers, model, connections, what, raws = [], beside, tell }) {
  await load([...loadArguments(servers, model, connections, what, warmUpSeconds), '--warmup', '0s']);
  const figures = Object.fromEntries(servers.map((s) => [s.name, { rate: [], cpu: [], p50: [], p99: [], client: [] }]));
  const raw = Object.fromEntries(raws.map((r) => [r.name, { rate: [], cpu: [] }]));
  const before = await Promise.all(servers.map((s) => (bare.has(s.name) ? null : metrics(s))));
  let command = '';
  for (let round = 1; round <= rounds; round++) {
    tell(`round ${round} of ${rounds}`);
    const args = [...loadArguments(servers, model, connections, what, seconds), '--seed', round];
    command = describe(args);
    const report = await load(args);
    for (const endpoint of report.endpoints) collect(endpoint, figures[endpoint.name]);
    for (const r of raws) {
      const run = await bench('raw', ...r.args, '--seconds', seconds);
      raw[r.name].rate.push(run.items_per_second);
      raw[r.name].cpu.push(run.cpu_microseconds);
    }
    await beside?.();
  }
  const after = await Promise.all(servers.map((s) => (bare.has(s.name) ? null : metrics(s))));
  const batches = Object.fromEntries(servers.map((s, i) => [s.name, before[i] && meanBatch(before[i], after[i])]));
  return { figures, raw, batches, command };
}

function collect(endpoint, into) {
  const { counts } = endpoint.total;
  const odd = [
    ...counts.refusals.map((r) => `${r.count} x ${r.status} ${r.reason}`),
    ...counts.errors.map((e) => `${e.count} x ${e.kind}`),
  ];
  if (odd.length > 0) throw new Error(`${endpoint.name} did not answer everything: ${odd.join(', ')}.`);
  into.rate.push(endpoint.total.ok_per_second);
  into.cpu.push(endpoint.total.cpu_microseconds_per_completed);
  into.client.push(endpoint.total.generator_cpu_microseconds_per_completed);
  into.p50.push(counts.latency.p50);
  into.p99.push(counts.latency.p99);
}

/** The command as a reader would type it: ids and ports of this run are placeholders. */
export function describe(args) {
  const words = args.map((a) =>
    String(a)
      .replace(`${root}/`, '')
      .replace(/:\/\/127\.0\.0\.1:\d+/, '://127.0.0.1:PORT')
      .replace(/^([a-z-]+)=\d+$/, '$1=PID')
      .replace(/.*[ {].*/, "'$&'"),
  );
  return `./spillway load ${words.join(' ')}`;
}

/** Endpoints of a result, in order. */
export function endpoints({ figures, raw, batches }) {
  return [
    ...Object.entries(figures).map(([name, f]) => ({
      name,
      rate: spread(f.rate),
      cpu_us: spread(f.cpu),
      p50_ms: spread(f.p50),
      p99_ms: spread(f.p99),
      client_cpu_us: spread(f.client),
      mean_batch: batches[name] ?? null,
    })),
    ...Object.entries(raw).map(([name, f]) => ({ name, rate: spread(f.rate), cpu_us: spread(f.cpu) })),
  ];
}

/** CPU per request beyond model and HTTP, by round. */
export const excess = ({ figures, raw }) =>
  spread(pair([figures.spillway.cpu, raw.raw.cpu, figures.null.cpu], (all, model, http) => all - model - http));

export const ratio = (a, b) => spread(pair([a, b], (x, y) => x / y));

export { stop };
