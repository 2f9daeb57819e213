// Two models on one device: what a tenfold flood on one does to the times of the other. In turns within each round:
// the quiet model alone, beside the flood, and beside a flood whose model is in a concurrency group of one run.
import path from 'node:path';
import { describe, ratio, stop } from '../lib/closed-loop.mjs';
import { load, startSpillway } from '../lib/processes.mjs';
import { longSeconds, root, rounds } from '../lib/settings.mjs';
import { mean, spread } from '../lib/stats.mjs';

const picture = path.join(root, 'samples/ocr/invoice.png');
const configuration = path.join(root, 'bench/config/sharing');
/** Of capacity: so little that it seldom waits for itself where it has one turn of two. */
const quietShare = 0.05;
/** Ten times a normal load of a fifth of capacity. */
const floodShare = 2;
const partSeconds = Math.max(2, longSeconds / 4);
/** The flood begins before and ends after what is measured. */
const marginSeconds = 1.5;

const send = (server, model) => [
  '--server',
  `spillway=${server.url}`,
  '--pid',
  `spillway=${server.pid}`,
  '--model',
  model,
  '--output-format',
  'json',
  '--raw',
  picture,
];

export const sharing = {
  name: 'sharing',
  work: `two line-ocr deployments on one device, one flooded ${floodShare}x, the other at ${quietShare} of capacity`,
  async run({ tell }) {
    const plain = await startSpillway('sharing', configuration);
    const grouped = await startSpillway('sharing-group', configuration, {
      SPILLWAY__MODELS__FLOODED__SHARING__GROUP: 'bulk',
    });
    try {
      return await measure(plain, grouped, tell);
    } finally {
      await stop(plain, grouped);
    }
  },
};

async function measure(plain, grouped, tell) {
  tell('capacity');
  const capacity = await closedLoop(plain);
  await closedLoop(grouped);
  const [quietRate, floodRate] = [capacity * quietShare, capacity * floodShare];
  const quiet = async (server, seed) => {
    const args = [
      ...send(server, 'quiet'),
      ...['--rate', quietRate.toFixed(2), '--duration', `${partSeconds}s`, '--warmup', '1s', '--seed', seed],
    ];
    const report = await load(args, { noneOk: true });
    return { counts: report.endpoints[0].total.counts, command: describe(args) };
  };
  const beside = async (server, seed) => {
    const args = [
      ...send(server, 'flooded'),
      ...['--rate', floodRate.toFixed(2), '--duration', `${partSeconds + 2 * marginSeconds}s`, '--warmup', '0s'],
    ];
    const flood = load([...args, '--seed', seed], { noneOk: true });
    const mine = await quiet(server, seed);
    return { ...mine, flood: (await flood).endpoints[0].total, floodCommand: describe(args) };
  };

  const parts = { alone: [], beside: [], grouped: [] };
  for (let round = 1; round <= rounds; round++) {
    tell(`round ${round} of ${rounds}`);
    parts.alone.push(await quiet(plain, round));
    parts.beside.push(await beside(plain, round));
    parts.grouped.push(await beside(grouped, round));
  }
  return result(parts, { capacity, quietRate, floodRate });
}

async function closedLoop(server) {
  const args = [...send(server, 'quiet'), '--concurrency', 4, '--duration', `${partSeconds}s`, '--warmup', '2s'];
  return (await load(args)).endpoints[0].total.ok_per_second;
}

function result(parts, { capacity, quietRate, floodRate }) {
  const p95 = (name) => parts[name].map((p) => p.counts.latency?.p95 ?? Infinity);
  const good = (name) => mean(parts[name].map((p) => p.counts.goodput_share)) * 100;
  const flooded = (name) => spread(parts[name].map((p) => p.flood.ok_per_second));
  const [shared, group] = [ratio(p95('beside'), p95('alone')), ratio(p95('grouped'), p95('alone'))];
  const check = (what, measured) => ({
    what,
    required: 'at most 1.5x',
    measured,
    unit: 'x',
    ok: measured !== null && measured.median <= 1.5,
  });
  return {
    endpoints: [],
    checks: [
      check('p95 beside the flood, over alone', shared),
      check("the same, the flood's model in a group of one run", group),
    ],
    figures: [
      { what: 'p95 alone', measured: spread(p95('alone')), unit: 'ms' },
      { what: 'p95 beside the flood', measured: spread(p95('beside')), unit: 'ms' },
      { what: 'p95 beside the flood in its group', measured: spread(p95('grouped')), unit: 'ms' },
      {
        what: 'answered in time alone, beside the flood, beside it in its group',
        measured: ['alone', 'beside', 'grouped'].map((n) => good(n).toFixed(1)).join(', '),
        unit: '%',
      },
      { what: "the flood's answers", measured: flooded('beside'), unit: '/s' },
      { what: "the flood's answers in its group", measured: flooded('grouped'), unit: '/s' },
      { what: 'capacity, four connections', measured: capacity, unit: 'answers/s' },
    ],
    command: [parts.alone[0].command, parts.beside[0].floodCommand].join('\n'),
    setup: { quiet_per_second: quietRate, flood_per_second: floodRate, part_seconds: partSeconds },
    notes: [
      'A run is never interrupted, so the quiet model may wait for the rest of a run of the flood, ' +
        'up to one run on top of its own. A group that leaves a turn free takes that away.',
      'Nine tenths of the flood are refused at the door; what refusing and the generator cost is part of the figures.',
    ],
  };
}
