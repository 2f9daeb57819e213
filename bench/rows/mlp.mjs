// MLP, 64 connections: what the server adds to the model and to HTTP, JSON and binary.
import { content, cores, endpoints, excess, race, ratio, startAll, stop } from '../lib/closed-loop.mjs';
import { bench, startNull } from '../lib/processes.mjs';
import { pair, spread } from '../lib/stats.mjs';

const connections = 64;

function mlp(format, { limitUs, peerRatio, referencePeerUs }) {
  return {
    name: `mlp-${format}`,
    work: `MLP, ${connections} connections, ${format === 'json' ? 'JSON both ways' : 'binary'}`,
    async run({ tell }) {
      const { servers, answerBytes } = await startAll('mlp', format, { peer: format === 'json' });
      try {
        tell('the raw limit and its best batch');
        const best = await bench('raw', 'mlp', '--batch', 'best', '--callers', 1, '--seconds', 1);
        const held = { batch: best.batch, busyUs: Math.round(best.cpu_microseconds) };
        servers.push(await startNull(answerBytes, held));
        const raws = [
          { name: 'raw', args: ['mlp', '--batch', best.batch, '--callers', 1] },
          { name: `raw, ${cores} callers`, args: ['mlp', '--batch', best.batch, '--callers', cores] },
        ];
        const result = await race({ servers, model: 'mlp', connections, what: content(format), raws, tell });
        const { figures, raw } = result;
        const over = excess(result);
        const checks = [
          {
            what: 'CPU per request over raw + null',
            required: `at most ${limitUs} µs`,
            measured: over,
            unit: 'µs',
            ok: over.median <= limitUs,
          },
        ];
        if (peerRatio) {
          const faster = ratio(figures.spillway.rate, figures.node.rate);
          checks.push({
            what: 'rate over the Node peer',
            required: `at least ${peerRatio}x`,
            measured: faster,
            unit: 'x',
            ok: faster.median >= peerRatio,
          });
        }
        return {
          endpoints: endpoints(result),
          checks,
          figures: [
            {
              what: 'CPU per request over the null handler that holds requests up in batches',
              measured: spread(pair([figures.spillway.cpu, figures.held.cpu], (all, held) => all - held)),
              unit: 'µs',
            },
          ],
          command: result.command,
          setup: {
            connections,
            answer_bytes: answerBytes,
            raw_batch: best.batch,
            raw_callers: 1,
            held_busy_us: held.busyUs,
            raw_curve: best.curve,
          },
          notes: [
            'raw is the strict one, a single caller on an otherwise idle machine; with a caller on every core it shows what the neighbour core costs.',
            'held is the null handler whose requests wait for a thread that is busy as long as the model and completes them in batches: HTTP at the same rate and in the same rhythm, with nothing parsed, decided, counted or answered but bytes.',
          ],
          reference: [
            {
              what: 'null handler, CPU per request',
              measured: spread(figures.null.cpu).median,
              expected: 12,
              unit: 'µs',
            },
            { what: 'raw MLP, CPU per item', measured: spread(raw.raw.cpu).median, expected: 28, unit: 'µs' },
            ...(figures.node
              ? [
                  {
                    what: 'Node peer, CPU per request',
                    measured: spread(figures.node.cpu).median,
                    expected: referencePeerUs,
                    unit: 'µs',
                  },
                ]
              : []),
          ],
        };
      } finally {
        await stop(...servers);
      }
    },
  };
}

export const mlpJson = mlp('json', { limitUs: 18, peerRatio: 4, referencePeerUs: 262 });
export const mlpBinary = mlp('binary', { limitUs: 12 });
