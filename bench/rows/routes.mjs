// Routes: what a remembered answer costs, what repeats save, what a chain gives in a flood, and what an upstream that
// dies does to those who can be served.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import zlib from 'node:zlib';
import { content, describe, endpoints, race, stop } from '../lib/closed-loop.mjs';
import { cpuSeconds } from '../lib/machine.mjs';
import { freePort, load, runSpillway, startNull, startSpillway } from '../lib/processes.mjs';
import { longSeconds, root, rounds, scratch, seconds } from '../lib/settings.mjs';
import { pair, spread } from '../lib/stats.mjs';
import { metrics } from '../lib/wire.mjs';

const config = (name) => path.join(root, 'bench/config', name);
const picture = path.join(root, 'samples/ocr/invoice.png');

export const cacheHit = {
  name: 'cache-hit',
  work: 'a remembered answer, body of 3,136 bytes, guard rails on, 64 connections',
  async run({ tell }) {
    const folder = path.join(scratch, 'state', 'cached');
    fs.rmSync(folder, { recursive: true, force: true });
    const env = { SPILLWAY__SERVER__STATEFOLDER: folder };
    const made = await runSpillway(['keys', 'create', '--config', config('cached'), '--tenant', 'acme', '--json'], env);
    const servers = [await startSpillway('cached', config('cached'), env), await startNull(175)];
    try {
      const what = [...content('binary'), '--key', JSON.parse(made).key];
      const result = await race({ servers, model: 'cached', connections: 64, what, tell });
      const over = spread(pair([result.figures.cached.cpu, result.figures.null.cpu], (a, b) => a - b));
      return {
        endpoints: endpoints(result),
        checks: [
          { what: 'CPU per request over the null handler', required: 'at most 12 µs', measured: over, unit: 'µs', ok: over.median <= 12 },
        ],
        command: result.command.replace(/sw_\S+/, 'KEY'),
        setup: { connections: 64 },
        notes: ['Keys, a rate, a budget, prices, ledger and audit are on; the model is asked for the first answers only.'],
      };
    } finally {
      await stop(...servers);
    }
  },
};

const repeats = 0.8;

export const cacheRepeats = {
  name: 'cache-repeats',
  work: `line-ocr, PNG, ${repeats * 100} % repeats by Zipf, with and without a cache`,
  async run({ tell }) {
    const server = await startSpillway('repeats', config('repeats'), {
      SPILLWAY__MODELS__LINE_OCR__DEADLINE__FIXEDMS: '60000',
    });
    const per = { 'line-ocr': [], remembered: [] };
    try {
      const before = await metrics(server);
      for (let round = 1; round <= rounds; round++) {
        for (const name of Object.keys(per)) {
          tell(`${name}, round ${round} of ${rounds}`);
          const began = cpuSeconds(server.pid);
          const answers = await repeat(server, name, 2 * seconds, round);
          per[name].push(answers / (cpuSeconds(server.pid) - began));
        }
      }
      const looked = await metrics(server);
      const gain = spread(pair([per.remembered, per['line-ocr']], (a, b) => a / b));
      return {
        endpoints: [],
        checks: [
          { what: 'answers per CPU second, with over without', required: 'at least 4.5x', measured: gain, unit: 'x', ok: gain.median >= 4.5 },
        ],
        figures: [
          { what: 'without a cache', measured: spread(per['line-ocr']), unit: 'answers per CPU second' },
          { what: 'with a cache', measured: spread(per.remembered), unit: 'answers per CPU second' },
          { what: 'look-ups', measured: looked.spillway_cache_lookups_total - (before.spillway_cache_lookups_total ?? 0), unit: 'requests' },
        ],
        command: 'a closed loop of 8 connections; each picture is samples/ocr/invoice.png with a text chunk of its own',
        setup: { connections: 8, repeats },
        notes: ['Eight of ten requests repeat an earlier picture of the round, drawn by Zipf (exponent 1); two are new.'],
      };
    } finally {
      await stop(server);
    }
  },
};

/** Answers of a closed loop in which most pictures were sent before. */
async function repeat(server, model, length, seed) {
  const png = fs.readFileSync(picture);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  const random = generator(seed * 7919 + (model === 'line-ocr' ? 1 : 2));
  const seen = [];
  const next = () => {
    if (seen.length > 0 && random() < repeats) return seen[Math.floor(seen.length ** random()) - 1] ?? seen[0];
    seen.push(withText(png, `${model} ${seed} ${seen.length}`));
    return seen.at(-1);
  };
  const until = Date.now() + length * 1000;
  let answers = 0;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (Date.now() < until) if ((await post(agent, server.url, model, next())) === 200) answers++;
    }),
  );
  agent.destroy();
  return answers;
}

function post(agent, url, model, body, more = { 'inference-header-content-length': '0' }) {
  const { hostname, port } = new URL(url);
  const headers = { 'content-length': body.length, ...more };
  return new Promise((resolve) => {
    const request = http.request(
      { agent, hostname, port, method: 'POST', path: `/v2/models/${model}/infer`, headers },
      (answer) => answer.resume().once('end', () => resolve(answer.statusCode)),
    );
    request.once('error', () => resolve(0));
    request.end(body);
  });
}

/** The same picture in other bytes. */
function withText(png, text) {
  const data = Buffer.concat([Buffer.from('tEXt'), Buffer.from(`Comment\0${text}`, 'latin1')]);
  const chunk = Buffer.alloc(data.length + 8);
  chunk.writeUInt32BE(data.length - 4);
  data.copy(chunk, 4);
  chunk.writeUInt32BE(zlib.crc32(data), data.length + 4);
  const head = 8 + 25;
  return Buffer.concat([png.subarray(0, head), chunk, png.subarray(head)]);
}

/** mulberry32: small, seeded, even. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const criticalShare = 0.5;
const spike = 10;
const spikeDeadlineMs = 400;

export const chainSpike = {
  name: 'chain-spike',
  work: `line-ocr, PNG, ${spike}x capacity: with the chain and without`,
  async run({ tell }) {
    const server = await startSpillway('spike', path.join(root, 'samples/demo'), {
      SPILLWAY__MODELS__LINE_OCR__DEADLINE__FIXEDMS: String(spikeDeadlineMs),
      SPILLWAY__MODELS__LINE_OCR__SHEDDING__ENABLED: 'true',
    });
    const critical = { full: [], answered: [] };
    const runs = { 'line-ocr': [], 'line-ocr-resilient': [] };
    const full = [];
    let command = '';
    try {
      for (let round = 1; round <= Math.min(3, rounds); round++) {
        tell(`capacity, round ${round}`);
        const send = ['--server', `spillway=${server.url}`, '--output-format', 'json', '--raw', picture];
        const plain = await load([...send, '--model', 'line-ocr', '--concurrency', 4, '--duration', '5s', '--warmup', '1s']);
        const rate = (spike * plain.endpoints[0].total.ok_per_second).toFixed(1);
        for (const name of Object.keys(runs)) {
          tell(`${name}, round ${round}`);
          const before = await steps(server);
          const args = [...send, '--model', name, '--rate', rate, '--duration', `${Math.min(20, longSeconds)}s`];
          const asked = [...args, '--warmup', '1s', '--deadline', spikeDeadlineMs, '--header', 'Cache-Control: no-store'];
          command = describe(asked);
          const report = await load(asked, { noneOk: true });
          runs[name].push(100 * report.endpoints[0].total.counts.goodput_share);
          const after = await steps(server);
          const answered = Object.keys(after).reduce((sum, step) => sum + after[step] - (before[step] ?? 0), 0);
          const models = Object.keys(after).filter((step) => /line-ocr/.test(step));
          if (answered > 0) full.push((100 * models.reduce((sum, step) => sum + after[step] - (before[step] ?? 0), 0)) / answered);
        }
        tell(`with classes, round ${round}`);
        const classed = await classes(server, send, plain.endpoints[0].total.ok_per_second);
        critical.full.push(classed.full);
        critical.answered.push(classed.answered);
      }
    } finally {
      await stop(server);
    }
    const chain = spread(runs['line-ocr-resilient']);
    return {
      endpoints: [],
      checks: [
        { what: 'answered (full or degraded) inside the deadline, of all offered', required: 'at least 95 %', measured: chain, unit: '%', ok: chain.median >= 95 },
        { what: `critical requests at ${criticalShare} of capacity beside sheddable ones at ${spike - criticalShare}x: in full, inside the deadline`, required: 'at least 90 %', measured: spread(critical.full), unit: '%', ok: spread(critical.full).median >= 90 },
      ],
      figures: [
        { what: 'the same without the chain', measured: spread(runs['line-ocr']), unit: '% of all offered' },
        { what: 'of the answers of the chain, by a model and not by a message', measured: spread(full), unit: '%' },
        { what: 'critical requests: answered, full or degraded, inside the deadline', measured: spread(critical.answered), unit: '%' },
      ],
      command,
      setup: { spike, deadline_ms: spikeDeadlineMs },
      notes: ['The cache is not asked. Capacity is measured before each round; client and server share the cores.'],
    };
  },
};

/** What critical requests within capacity get while sheddable ones flood the same route. */
async function classes(server, send, capacity) {
  const length = Math.min(20, longSeconds);
  const flood = load(
    [...send, '--model', 'line-ocr-resilient', '--rate', ((spike - criticalShare) * capacity).toFixed(1), '--duration', `${length}s`,
      '--warmup', '0s', '--deadline', spikeDeadlineMs, '--header', 'Cache-Control: no-store', '--header', 'X-Spillway-Criticality: sheddable'],
    { noneOk: true },
  );
  // The cut between classes finds its place within the first windows.
  await wait(Math.min(5000, (length * 1000) / 4));
  const [body, asked, agent] = [fs.readFileSync(picture), [], new http.Agent({ keepAlive: true })];
  const until = performance.now() + (length * 1000) / 2;
  while (performance.now() < until) {
    await wait((-Math.log(1 - Math.random()) * 1000) / (criticalShare * capacity));
    asked.push(criticalOne(server, agent, body));
  }
  const answers = await Promise.all(asked);
  await flood;
  agent.destroy();
  const part = (is) => (100 * answers.filter(is).length) / answers.length;
  const inTime = (a) => a.status === 200 && a.ms <= spikeDeadlineMs;
  return { full: part((a) => inTime(a) && !a.degraded), answered: part(inTime) };
}

function criticalOne(server, agent, body) {
  return new Promise((resolve) => {
    const began = performance.now();
    const headers = {
      'content-length': body.length, 'inference-header-content-length': 0, 'cache-control': 'no-store',
      'x-spillway-criticality': 'critical',
    };
    const { hostname, port } = new URL(server.url);
    const request = http.request({ agent, hostname, port, method: 'POST', path: '/v2/models/line-ocr-resilient/infer', headers }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve({ status: answer.statusCode, ms: performance.now() - began, degraded: 'x-spillway-degraded' in answer.headers }));
    });
    request.once('error', () => resolve({ status: 0, ms: 0, degraded: false }));
    request.end(body);
  });
}

/** Answers by step of the demo's route. */
async function steps(server) {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const found = [...text.matchAll(/spillway_route_answered_total\{route="[^"]*",step="([^"]*)"\} (\d+)/g)];
  return Object.fromEntries(found.map(([, step, count]) => [step, Number(count)]));
}

const deadSeconds = Math.min(30, longSeconds / 2);
const offered = 150;

export const upstreamDead = {
  name: 'upstream-dead',
  work: `${offered} requests/s, one target dead for ${deadSeconds} s, of three and of one`,
  async run({ tell }) {
    const results = {};
    for (const count of [3, 1]) results[count] = await dead(count, tell);
    const recovery = Math.max(results[3].recovery, results[1].recovery);
    const extra = Math.max(results[3].extra, results[1].extra);
    const ratio = results[3].during / results[3].before;
    return {
      endpoints: [],
      checks: [
        { what: 'calls beyond one per request, worst of both', required: 'at most 20 %', measured: extra, unit: '%', ok: extra <= 20 },
        { what: '3 targets: answered while one was dead', required: 'at least 99.9 %', measured: results[3].answered, unit: '%', ok: results[3].answered >= 99.9 },
        { what: 'from the return of the dead one until every request is answered, worst', required: 'at most 2 s', measured: recovery, unit: 's', ok: recovery <= 2 },
      ],
      figures: [
        { what: '3 targets: p99 before, while one was dead', measured: `${results[3].before.toFixed(1)}, ${results[3].during.toFixed(1)}`, unit: 'ms' },
        { what: '3 targets: p99 while dead over before', measured: ratio, unit: 'x' },
        { what: '1 target: answered while it was dead', measured: results[1].answered, unit: '%' },
      ],
      command: 'kill -9 of a target, the same target again on its port; an even stream of requests at the front',
      setup: { offered, dead_seconds: deadSeconds },
      notes: ['The targets are simulated, 2 ms a request; the return is the moment at which the target says that it is ready.'],
    };
  },
};

async function dead(count, tell) {
  const ports = [];
  for (let i = 0; i < count; i++) ports.push(await freePort());
  const folder = path.join(scratch, 'front');
  fs.rmSync(folder, { recursive: true, force: true });
  fs.cpSync(config('dead/target/work'), path.join(folder, 'local'), { recursive: true });
  const targets = ports.map((port, i) => `      t${i}: { url: "http://127.0.0.1:${port}" }`).join('\n');
  fs.writeFileSync(
    path.join(folder, 'spillway.yaml'),
    `models: [local]\nupstreams:\n  far:\n    model: work\n    targets:\n${targets}\nroutes:\n  work: { deadlineMs: 2000, chain: { steps: [{ model: far }] } }\n`,
  );
  const target = (i) => startSpillway(`target-${i}`, config('dead/target'), { SPILLWAY__SERVER__PORT: String(ports[i]), SPILLWAY__SERVER__GRPCPORT: '-1' });
  const servers = await Promise.all(ports.map((_, i) => target(i)));
  const front = await startSpillway('front', folder);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
  const body = Buffer.from(JSON.stringify({ inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] }] }));
  const asked = [];
  let on = true;
  const stream = (async () => {
    const began = performance.now();
    for (let i = 0; on; i++) {
      const due = began + (i * 1000) / offered;
      if (due > performance.now()) await wait(due - performance.now());
      const one = { sent: performance.now() };
      asked.push(one);
      one.done = post(agent, front.url, 'work', body, {}).then((status) => Object.assign(one, { status, ended: performance.now() }));
    }
  })();
  try {
    tell(`${count} target(s): before`);
    await wait(3000);
    asked.length = 0;
    const calls = await metrics(front);
    const began = performance.now();
    await wait(8000);
    tell(`${count} target(s): one dead`);
    const died = performance.now();
    servers[0].child.kill('SIGKILL');
    await wait(deadSeconds * 1000);
    servers[0] = await target(0);
    const back = performance.now();
    tell(`${count} target(s): back`);
    await wait(6000);
    on = false;
    await stream;
    await Promise.all(asked.map((one) => one.done));
    const after = await metrics(front);
    const all = ['spillway_upstream_answered_total', 'spillway_upstream_failed_total'].reduce((sum, name) => sum + after[name] - calls[name], 0);
    const between = (from, to) => asked.filter((one) => one.sent >= from && one.sent < to);
    const lost = asked.filter((one) => one.sent >= back && one.status !== 200);
    return {
      extra: Math.max(0, (100 * all) / asked.length - 100),
      answered: (100 * between(died, back).filter((one) => one.status === 200).length) / between(died, back).length,
      before: p99(between(began, died)),
      during: p99(between(died, back)),
      recovery: lost.length === 0 ? 0 : (Math.max(...lost.map((one) => one.sent)) - back) / 1000,
    };
  } finally {
    on = false;
    agent.destroy();
    await stop(front, ...servers);
  }
}

const p99 = (asked) => {
  const times = asked.filter((one) => one.status === 200).map((one) => one.ended - one.sent).sort((a, b) => a - b);
  return times[Math.floor(0.99 * times.length)] ?? Number.NaN;
};
