// MLP, 64 connections: what the server adds to the model and to HTTP, JSON and binary.
import { content, cores, endpoints, excess, race, ratio, startAll, stop } from '../lib/closed-loop.mjs';
import { bench } from '../lib/processes.mjs';
import { spread } from '../lib/stats.mjs';

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
          command: result.command,
          setup: {
            connections,
            answer_bytes: answerBytes,
            raw_batch: best.batch,
            raw_callers: 1,
            raw_curve: best.curve,
          },
          notes: [
            'raw is the strict one, a single caller on an otherwise idle machine; with a caller on every core it shows what the neighbour core costs.',
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
