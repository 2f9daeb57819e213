// line-ocr with PNG pictures beyond its capacity. Capacity is measured before and after every step, because a shared
// machine's changes; offered rates follow the one before, judgements the mean of both.
import path from 'node:path';
import { describe, stop } from '../lib/closed-loop.mjs';
import { residentMib } from '../lib/machine.mjs';
import { load, startSpillway } from '../lib/processes.mjs';
import { deadlineMs, longSeconds, normalShare, root, rounds, seconds } from '../lib/settings.mjs';
import { mean, spread } from '../lib/stats.mjs';

/** One picture: of several widths a flooded server rightly answers more of the short ones and beats its capacity. */
const picture = path.join(root, 'samples/ocr/invoice.png');
const capacityConnections = 4;
const capacitySeconds = Math.max(1, Math.min(10, longSeconds / 6));
const phaseSeconds = Math.max(2, Math.min(10, longSeconds / 6));
const phaseRounds = Math.min(3, rounds);
const refusalRate = 1000;
const sampleEveryMs = 500;

const send = (server) => [
  '--server',
  `spillway=${server.url}`,
  '--pid',
  `spillway=${server.pid}`,
  '--model',
  'line-ocr',
  '--output-format',
  'json',
  '--raw',
  picture,
];

export const ocrOverload = {
  name: 'ocr-overload',
  work: `line-ocr, PNG, Poisson ${longSeconds} s, deadline ${deadlineMs} ms`,
  async run({ tell }) {
    const server = await startSpillway('spillway', path.join(root, 'samples/demo'), {
      SPILLWAY__MODELS__LINE_OCR__DEADLINE__FIXEDMS: String(deadlineMs),
    });
    try {
      return await measure(server, tell);
    } finally {
      await stop(server);
    }
  },
};

async function measure(server, tell) {
  const capacities = [];
  const capacity = async () => {
    tell(`capacity ${capacities.length + 1}`);
    const report = await load([
      ...send(server),
      '--concurrency',
      capacityConnections,
      '--duration',
      `${capacitySeconds}s`,
      '--warmup',
      '2s',
    ]);
    capacities.push({
      rate: report.endpoints[0].total.ok_per_second,
      cpu: report.endpoints[0].total.cpu_microseconds_per_ok,
    });
    return capacities.at(-1).rate;
  };
  const steps = [];
  let before = await capacity();
  const step = async (name, share, args) => {
    tell(name);
    const offered = Math.max(1, before * share);
    const all = [...send(server), '--rate', offered.toFixed(2), ...args];
    const watch = watchMemory(server.pid);
    const report = await load(all, { noneOk: true });
    const memory = watch.end();
    const after = await capacity();
    const both = mean([before, after]);
    before = after;
    steps.push({
      name,
      command: describe(all),
      capacity: both,
      offered,
      report: report.endpoints[0],
      memory,
    });
    return steps.at(-1);
  };

  const long = ['--duration', `${longSeconds}s`, '--warmup', '2s'];
  const slight = await step('1.1x', 1.1, long);
  const flood = await step('5x', 5, long);
  const waves = await step('1x, 10x, 1x', normalShare, [
    '--phases',
    `1x:${phaseSeconds}s,10x:${phaseSeconds}s,1x:${2 * phaseSeconds}s`,
    '--rounds',
    phaseRounds,
    '--warmup',
    '2s',
  ]);
  const bursts = await step('bursty', normalShare, ['--arrivals', 'bursty', '--dispersion', 20, ...long]);
  tell('what a refusal costs');
  const refusalUs = await refusals();

  return {
    endpoints: [],
    checks: judge({ slight, flood, waves, refusalUs, answerUs: mean(capacities.map((c) => c.cpu)) }),
    figures: figures({ capacities, slight, flood, waves, bursts, refusalUs }),
    command: steps.map((s) => s.command).join('\n'),
    setup: {
      deadline_ms: deadlineMs,
      normal_share_of_capacity: normalShare,
      capacity_connections: capacityConnections,
      capacities_per_second: capacities.map((c) => c.rate),
      refusal_rate: refusalRate,
    },
    steps: steps.map(({ report, ...rest }) => ({
      ...rest,
      total: report.total,
      rounds: report.rounds.map((r) => ({ recovery_seconds: r.recovery_seconds, phases: r.phases })),
    })),
    notes: [
      `Capacity: answers a second in a closed loop of ${capacityConnections} connections, ${capacitySeconds} s before and after every step; samples/ocr/invoice.png everywhere.`,
      `In the 1x, 10x, 1x run 1x is ${normalShare} of capacity. Recovered: from then on the p95 of every 100 requests in a row is within 1.5 times that of the first phase, a refusal counting as infinitely late.`,
      'CPU per refusal: the same door before a simulated runtime that never finishes in time, so that the process does nothing but refuse (bench/config/refusal).',
    ],
  };
}

function judge({ slight, flood, waves, refusalUs, answerUs }) {
  const share = slight.report.total.counts.goodput_share;
  const goodput = flood.report.total.counts.goodput_per_second / flood.capacity;
  const recovered = waves.report.rounds.map((r) => r.recovery_seconds ?? Infinity);
  const worst = Math.max(...recovered);
  const refusal = refusalUs / answerUs;
  return [
    {
      what: '1.1x: share of all offered inside the deadline',
      required: 'at least 85 %',
      measured: share * 100,
      unit: '%',
      ok: share >= 0.85,
    },
    {
      what: '5x: goodput against capacity',
      required: 'at least 95 %',
      measured: goodput * 100,
      unit: '%',
      ok: goodput >= 0.95,
    },
    {
      what: '5x: resident memory, last quarter over second quarter',
      required: 'flat (at most +5 %)',
      measured: flood.memory.growth * 100,
      unit: '%',
      ok: flood.memory.growth <= 0.05,
    },
    {
      what: 'CPU per refusal, share of an answer',
      required: 'at most 1 %',
      measured: refusal * 100,
      unit: '%',
      ok: refusal <= 0.01,
    },
    {
      what: `1x, 10x, 1x: recovery, slowest of ${recovered.length}`,
      required: 'within 2 s',
      measured: Number.isFinite(worst) ? worst : null,
      unit: 's',
      ok: worst <= 2,
    },
  ];
}

function figures({ capacities, slight, flood, waves, bursts, refusalUs }) {
  const { counts } = bursts.report.total;
  return [
    { what: 'capacity', measured: spread(capacities.map((c) => c.rate)), unit: 'answers/s' },
    { what: 'CPU per answer at capacity', measured: spread(capacities.map((c) => c.cpu)), unit: 'µs' },
    { what: 'CPU per refusal', measured: refusalUs, unit: 'µs' },
    ...[
      ['1.1x', slight],
      ['5x', flood],
      ['1x of the waves', waves],
      ['bursty', bursts],
    ].map(([name, s]) => ({
      what: `${name}: offered against mean capacity`,
      measured: s.offered / s.capacity,
      unit: 'x',
    })),
    { what: '1.1x: p99 of answers', measured: slight.report.total.counts.latency?.p99, unit: 'ms' },
    { what: '5x: p99 of answers', measured: flood.report.total.counts.latency?.p99, unit: 'ms' },
    { what: '5x: p50 of refusals', measured: flood.report.total.counts.refusal_latency?.p50, unit: 'ms' },
    {
      what: '5x: resident memory before, at the end, highest',
      measured: `${flood.memory.first.toFixed(0)}, ${flood.memory.last.toFixed(0)}, ${flood.memory.highest.toFixed(0)}`,
      unit: 'MiB',
    },
    {
      what: 'bursty (dispersion 20): share of all offered inside the deadline',
      measured: counts.goodput_share * 100,
      unit: '%',
    },
    {
      what: 'bursty: p50, p95, p99 of answers',
      measured: [counts.latency?.p50, counts.latency?.p95, counts.latency?.p99].map((v) => v?.toFixed(1)).join(', '),
      unit: 'ms',
    },
    {
      what: 'bursty: refused',
      measured: counts.refusals.map((r) => `${r.reason} ${(r.share * 100).toFixed(1)} %`).join(', ') || 'none',
      unit: '',
    },
  ];
}

/** Samples resident memory until told to end. */
function watchMemory(pid) {
  const seen = [residentMib(pid)];
  const timer = setInterval(() => seen.push(residentMib(pid)), sampleEveryMs);
  return {
    end() {
      clearInterval(timer);
      const quarter = Math.max(1, Math.floor(seen.length / 4));
      const [second, last] = [mean(seen.slice(quarter, 2 * quarter)), mean(seen.slice(-quarter))];
      return { first: seen[0], last: seen.at(-1), highest: Math.max(...seen), growth: last / second - 1 };
    },
  };
}

async function refusals() {
  const server = await startSpillway('refusal', path.join(root, 'bench/config/refusal'));
  try {
    const report = await load(
      [
        ...send(server),
        '--rate',
        refusalRate,
        '--duration',
        `${Math.max(2, seconds * 3)}s`,
        '--warmup',
        '3s',
        '--rounds',
        rounds,
      ],
      { noneOk: true },
    );
    return report.endpoints[0].spread.cpu_microseconds_per_completed.median;
  } finally {
    await stop(server);
  }
}
