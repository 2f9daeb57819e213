// Bytes that the server allocates per request, alone and queued, and its resident memory over a flood.
import path from 'node:path';
import { batchingOn, content, describe, loadArguments, stop } from '../lib/closed-loop.mjs';
import { residentMib } from '../lib/machine.mjs';
import { load, startSpillway } from '../lib/processes.mjs';
import { longSeconds, root, rounds, trial } from '../lib/settings.mjs';
import { spread } from '../lib/stats.mjs';
import { metrics } from '../lib/wire.mjs';

const allocated = 'dotnet_gc_allocated_bytes_total';
const picture = ['--raw', path.join(root, 'samples/ocr/invoice.png'), '--output-format', 'json'];
const cases = [
  { name: 'MLP, JSON, 1 connection', model: 'mlp', what: content('json'), connections: 1, requests: 4000 },
  { name: 'MLP, JSON, 64 connections', model: 'mlp', what: content('json'), connections: 64, requests: 20_000 },
  { name: 'MLP, binary, 1 connection', model: 'mlp', what: content('binary'), connections: 1, requests: 4000 },
  { name: 'MLP, binary, 64 connections', model: 'mlp', what: content('binary'), connections: 64, requests: 20_000 },
  { name: 'line-ocr, PNG, 4 connections', model: 'line-ocr', what: picture, connections: 4, requests: 300 },
];

export const memory = {
  name: 'memory',
  work: 'memory: bytes allocated per request, resident memory over a flood',
  async run({ tell }) {
    const mlp = await batchingOn('mlp');
    const ocr = await startSpillway('ocr', path.join(root, 'samples/demo'), {
      SPILLWAY__MODELS__LINE_OCR__DEADLINE__FIXEDMS: '60000',
    });
    try {
      const figures = [];
      for (const c of cases) {
        tell(c.name);
        figures.push({
          what: c.name,
          measured: await perRequest(c.model === 'mlp' ? mlp : ocr, c),
          unit: 'B per request',
        });
      }
      tell('resident memory');
      const [began, flood] = [residentMib(mlp.pid), loadArguments([mlp], 'mlp', 64, content('binary'), longSeconds)];
      const half = loadArguments([mlp], 'mlp', 64, content('binary'), longSeconds / 2);
      await load(half);
      const middle = residentMib(mlp.pid);
      await load(half);
      const ended = residentMib(mlp.pid);
      const growth = ended / middle - 1;
      return {
        endpoints: [],
        checks: [
          {
            what: 'resident memory over a flood of 64 connections, second half',
            required: 'flat (at most +5 %)',
            measured: growth * 100,
            unit: '%',
            ok: growth <= 0.05,
          },
        ],
        figures: [
          ...figures,
          {
            what: 'resident memory before, in the middle, at the end',
            measured: [began, middle, ended].map((m) => m.toFixed(0)).join(', '),
            unit: 'MiB',
          },
        ],
        command: describe(flood),
        setup: { flood_seconds: longSeconds },
        notes: [
          "Bytes are the growth of the runtime's own counter over all requests of a run, without what reading it costs. That a queued item allocates nothing is pinned by a test.",
        ],
      };
    } finally {
      await stop(mlp, ocr);
    }
  },
};

async function perRequest(server, { model, what, connections, requests }) {
  const count = trial ? Math.ceil(requests / 10) : requests;
  const run = (seed) =>
    load([
      ...loadArguments([server], model, connections, what, 600),
      '--requests',
      count,
      '--warmup',
      '0s',
      '--seed',
      seed,
    ]);
  await run(0);
  const values = [];
  for (let round = 1; round <= Math.min(rounds, 3); round++) {
    const idle = (await metrics(server))[allocated];
    const before = (await metrics(server))[allocated];
    const report = await run(round);
    const after = (await metrics(server))[allocated];
    // One look is inside each interval. The metadata that the generator asks for first is a request of its own.
    values.push((after - before - (before - idle)) / report.endpoints[0].total.counts.completed);
  }
  return spread(values);
}
