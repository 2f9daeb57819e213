// A compute-bound model: line-ocr-tensor at width 320, binary FP32 in, text out in JSON. How near to the raw limit, and
// does the server still answer a null request at once?
import path from 'node:path';
import { cores, endpoints, loadArguments, race, ratio, stop } from '../lib/closed-loop.mjs';
import { bench, load, startSpillway } from '../lib/processes.mjs';
import { root, seconds } from '../lib/settings.mjs';
import { spread } from '../lib/stats.mjs';

const model = 'line-ocr-tensor';
const many = 16;
const what = ['--shape', 'x=1,3,48,320', '--format', 'binary', '--output-format', 'json'];

/** A probe beside a flood of its own, so that it does not disturb the rates. */
async function probe(server) {
  const length = Math.max(2, seconds);
  const flood = load([...loadArguments([server], model, many, what, length), '--warmup', '1s']);
  const [probed] = await Promise.all([bench('probe', '--port', server.port, '--rate', 20, '--seconds', length), flood]);
  return probed;
}

export const ocrTensor = {
  name: 'ocr-tensor',
  work: `line-ocr-tensor, width 320, binary FP32 in, text out, ${cores} and ${many} connections`,
  async run({ tell }) {
    const server = await startSpillway('spillway', path.join(root, 'samples/demo'), {
      SPILLWAY__MODELS__LINE_OCR__DEADLINE__FIXEDMS: '60000',
    });
    try {
      tell('the raw limit and its best batch');
      const best = await bench('raw', 'line-ocr', '--ctc', '--batch', 'best', '--seconds', 1);
      const raws = [{ name: 'raw', args: ['line-ocr', '--ctc', '--batch', best.batch] }];
      const probes = [];
      const few = await race({
        servers: [server],
        model,
        connections: cores,
        what,
        raws,
        tell: (t) => tell(`${cores} connections, ${t}`),
      });
      const crowd = await race({
        servers: [server],
        model,
        connections: many,
        what,
        raws,
        tell: (t) => tell(`${many} connections, ${t}`),
        beside: async () => probes.push(await probe(server)),
      });
      const cpu = [
        ratio(few.figures.spillway.cpu, few.raw.raw.cpu),
        ratio(crowd.figures.spillway.cpu, crowd.raw.raw.cpu),
      ];
      const rate = [
        ratio(few.figures.spillway.rate, few.raw.raw.rate),
        ratio(crowd.figures.spillway.rate, crowd.raw.raw.rate),
      ];
      const p50 = spread(probes.map((p) => p.p50_ms));
      const rename = (list, suffix) => list.map((e) => ({ ...e, name: `${e.name}, ${suffix}` }));
      return {
        endpoints: [
          ...rename(endpoints(few), `${cores} connections`),
          ...rename(endpoints(crowd), `${many} connections`),
        ],
        checks: [
          {
            what: `CPU over raw + CTC, ${cores} connections`,
            required: 'at most 1.04x',
            measured: cpu[0],
            unit: 'x',
            ok: cpu[0].median <= 1.04,
          },
          {
            what: `CPU over raw + CTC, ${many} connections`,
            required: 'at most 1.04x',
            measured: cpu[1],
            unit: 'x',
            ok: cpu[1].median <= 1.04,
          },
          {
            what: `rate over raw + CTC, ${cores} connections`,
            required: 'at least 0.92x',
            measured: rate[0],
            unit: 'x',
            ok: rate[0].median >= 0.92,
          },
          {
            what: `rate over raw + CTC, ${many} connections`,
            required: 'at least 0.95x',
            measured: rate[1],
            unit: 'x',
            ok: rate[1].median >= 0.95,
          },
          {
            what: `p50 of a null request beside ${many} connections`,
            required: 'under 1 ms',
            measured: p50,
            unit: 'ms',
            ok: p50.median < 1,
          },
        ],
        figures: [
          { what: 'p99 of the null request', measured: spread(probes.map((p) => p.p99_ms)), unit: 'ms' },
          {
            what: "the probe's own timer late, p50",
            measured: spread(probes.map((p) => p.timer_late_p50_ms)),
            unit: 'ms',
          },
        ],
        command: few.command,
        setup: { connections: [cores, many], raw_batch: best.batch, raw_callers: cores, raw_curve: best.curve },
        reference: [
          {
            what: 'raw recogniser, CPU per line',
            measured: spread(few.raw.raw.cpu).median,
            expected: 11_560,
            unit: 'µs',
          },
        ],
        notes: [
          'raw includes the same greedy CTC as the server, on as many threads as there are cores; "raw" stands twice because it runs between the rounds of both.',
        ],
      };
    } finally {
      await stop(server);
    }
  },
};
