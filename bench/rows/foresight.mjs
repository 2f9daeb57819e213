// The planner against the server that it plans: times fitted once and frozen, then loads from light to too much, each
// played live and simulated with the very same arrivals. The capacity is measured anew beside each, because a shared
// machine's changes; loads are parts of it.
import fs from 'node:fs';
import path from 'node:path';
import { configOf, cores } from '../lib/closed-loop.mjs';
import { load, runSpillway, startSpillway, stop } from '../lib/processes.mjs';
import { longSeconds, root, rounds, scratch, seconds } from '../lib/settings.mjs';
import { mean, spread } from '../lib/stats.mjs';

const playSeconds = Math.max(2, Math.min(10, longSeconds / 6));
const turns = Math.min(5, rounds);
const shares = [0.3, 0.6, 0.9, 1.2];
/** At this part of capacity waits explode with any error of it, so that a band is asked for, not a figure. */
const bandAt = 0.9;
const deadlineMs = 250;

const models = [
  {
    name: 'line-ocr',
    config: path.join(root, 'samples/demo'),
    connections: 4,
    raw: path.join(root, 'samples/ocr/invoice.png'),
    env: { SPILLWAY__MODELS__LINE_OCR__DEADLINE__FIXEDMS: String(deadlineMs) },
  },
  {
    name: 'mlp',
    config: configOf('mlp'),
    connections: 64,
    env: { SPILLWAY__MODELS__MLP__DEADLINE__FIXEDMS: String(deadlineMs) },
  },
];

export const foresight = {
  name: 'foresight',
  work: `line-ocr and MLP at ${shares.map((s) => s * 100).join(', ')} % of capacity, live and simulated, ${turns} rounds of ${playSeconds} s`,
  async run({ tell }) {
    const all = [];
    for (const model of models) {
      const server = await startSpillway('spillway', model.config, model.env);
      try {
        all.push(await measure(model, server, tell));
      } finally {
        await stop(server);
      }
    }
    return {
      endpoints: [],
      checks: all.flatMap((a) => a.checks),
      figures: all.flatMap((a) => a.figures),
      command: './spillway plan verify plan.yaml --model MODEL --speed CAPACITY/FITTED --json',
      setup: { deadline_ms: deadlineMs, play_seconds: playSeconds, fits: all.map((a) => a.fit) },
      steps: all.flatMap((a) => a.steps),
      notes: [
        'Fitted once, before the first round, from requests at 30, 60 and 90 % of capacity and from a closed loop; nothing is fitted afterwards but one factor. Loads are parts of the capacity measured just before, and the simulated machine is as much faster or slower than the fitted one as that capacity is than the one at the fit: a shared machine is not the same an hour long. The generator runs on the same cores.',
        'Errors are of each run, against the simulation with the very same arrivals; the median of the rounds is judged. Inside the band: between the same simulation on a machine 3 % faster and 3 % slower.',
      ],
    };
  },
};

const content = (model) => (model.raw ? ['--raw', model.raw] : ['--format', 'binary']);
const target = (model, server) => ['--server', `spillway=${server.url}`, '--model', model.name];

async function capacity(model, server, length) {
  const report = await load([...target(model, server), ...content(model), '--concurrency', model.connections,
    '--duration', `${length}s`, '--warmup', '1s']);
  return report.endpoints[0].total.ok_per_second;
}

/** Requests at several loads, as one record; the fit of it. */
async function fit(model, server, folder, rate) {
  const records = [];
  const take = async () => {
    const answer = await fetch(`${server.url}/admin/v1/requests?limit=1000&outcome=ok&model=${model.name}`);
    records.push(...(await answer.json()).requests);
  };
  for (const share of [0.3, 0.6, 0.9]) {
    await load([...target(model, server), ...content(model), '--rate', Math.max(1, rate * share).toFixed(2),
      '--duration', `${playSeconds}s`, '--warmup', '0s']);
    await take();
  }
  const after = await capacity(model, server, seconds);
  await take();
  const known = new Map(records.map((r) => [r.id, r]));
  // The planner looks at the last part of a record only to say how far off it is; here that is done live.
  const lines = [...known.values()].sort((a, b) => a.started.localeCompare(b.started)).map((r) => JSON.stringify(r));
  fs.writeFileSync(path.join(folder, 'record.jsonl'), lines.join('\n'));
  writePlan(model, folder, 1, 1, 'curves: { here: [{ rows: 1, ms: 1 }] }');
  const fitted = JSON.parse(await runSpillway(['plan', 'calibrate', path.join(folder, 'plan.yaml'), '--record',
    path.join(folder, 'record.jsonl'), '--held-out', '0.05', '--out', path.join(folder, 'fit.yaml'), '--json']));
  return { ...fitted, capacity: mean([rate, after]) };
}

function writePlan(model, folder, rate, seed, times) {
  fs.writeFileSync(
    path.join(folder, 'prices.yaml'),
    `currency: EUR\ndate: 2026-01-01\nsource: none is asked here\nmachines:\n  here: { onDemandPerHour: 1, parallelism: ${cores} }\n`,
  );
  fs.writeFileSync(
    path.join(folder, 'plan.yaml'),
    `name: ${model.name}
seed: ${seed}
durationSeconds: ${playSeconds}
warmUpSeconds: 0
prices: [prices.yaml]
regions: { near: {} }
workloads:
  - { name: all, arrivals: poisson, ratePerSecond: ${rate.toFixed(4)}, deadlineMs: ${deadlineMs}, bytesIn: 0, bytesOut: 0 }
variants:
  model:
    evidence: calibrated
    source: this row
    ${times}
sites:
  here: { kind: cloud, networkMs: { near: 0 }, egressPerGb: 0 }
candidates:
  - { name: here, variant: model, sites: { here: { machine: here, replicas: 1 } } }
`,
  );
}

async function measure(model, server, tell) {
  const folder = path.join(scratch, 'foresight', model.name);
  fs.mkdirSync(folder, { recursive: true });
  tell(`${model.name}: the fit`);
  await capacity(model, server, Math.min(12, seconds * 4));
  const at = await capacity(model, server, seconds);
  const fitted = await fit(model, server, folder, at);
  const steps = [];
  for (let turn = 1; turn <= turns; turn++) {
    // Another order each time, so that no load has the warm machine for itself.
    for (let i = 0; i < shares.length; i++) {
      const share = shares[(i + turn) % shares.length];
      tell(`${model.name}: round ${turn} of ${turns}, ${share * 100} %`);
      const before = await capacity(model, server, Math.max(2, seconds));
      writePlan(model, folder, before * share, turn, 'curveFiles: { here: fit.yaml }');
      const report = JSON.parse(await runSpillway(['plan', 'verify', path.join(folder, 'plan.yaml'), '--model',
        model.name, '--server', server.url, '--json', '--speed', (before / fitted.capacity).toFixed(4),
        ...(model.raw ? ['--raw', model.raw] : [])]));
      steps.push({ model: model.name, turn, share, capacity: before, speed: before / fitted.capacity, ...report });
    }
  }
  return { steps, fit: { model: model.name, ...fitted }, ...judge(model, steps) };
}

function judge(model, steps) {
  const checks = [];
  const figures = [];
  for (const share of shares) {
    const runs = steps.filter((s) => s.share === share);
    const at = `${model.name}, ${share * 100} %`;
    const figure = (run, what) => run.figures.find((f) => f.what === what);
    const errors = (what, of) => spread(runs.map((r) => of(figure(r, what))));
    const relative = (f) => (f.simulated / f.live - 1) * 100;
    const ask = (what, measured, unit, limit) =>
      checks.push({ what: `${at}: ${what}`, required: `within ${limit} ${unit}`, measured, unit, ok: Math.abs(measured.median) <= limit });
    if (share === bandAt) {
      for (const what of ['p50', 'p95']) {
        const inside = runs.filter((r) => figure(r, what).live >= figure(r, what).low && figure(r, what).live <= figure(r, what).high);
        checks.push({
          what: `${at}: rounds with ${what} inside the band of ±3 % capacity`,
          required: `most of ${runs.length}`,
          measured: inside.length,
          unit: '',
          ok: inside.length * 2 > runs.length,
        });
        figures.push({ what: `${at}: ${what}, live`, measured: errors(what, (f) => f.live), unit: 'ms' });
        figures.push({
          what: `${at}: ${what}, the band`,
          measured: { median: mean(runs.map((r) => figure(r, what).simulated)), min: mean(runs.map((r) => figure(r, what).low)), max: mean(runs.map((r) => figure(r, what).high)) },
          unit: 'ms',
        });
      }
    } else {
      ask('throughput, simulated against live', errors('answers a second', relative), '%', 5);
      ask('p95, simulated against live', errors('p95', relative), '%', 15);
      ask('refusals, simulated against live', errors('refused', (f) => f.simulated - f.live), 'points', 3);
    }
    figures.push({ what: `${at}: p99, simulated against live`, measured: errors('p99', relative), unit: '%' });
    figures.push({ what: `${at}: execute mean, simulated against live`, measured: errors('execute mean', relative), unit: '%' });
    figures.push({ what: `${at}: capacity beside it`, measured: spread(runs.map((r) => r.capacity)), unit: '/s' });
  }
  return { checks, figures };
}
