// Does batching pay, and does it cost where it cannot? The same server with batching on and off.
import { batchingOff, batchingOn, content, endpoints, race, ratio, stop } from '../lib/closed-loop.mjs';

function onOff(model, connections, atLeast) {
  return {
    name: `${model}-binary-${connections}`,
    work: `${model === 'mlp' ? 'MLP' : 'tiny'}, binary, ${connections} connection${connections > 1 ? 's' : ''}, batching on against off`,
    async run({ tell }) {
      const servers = [await batchingOn(model), await batchingOff(model)];
      try {
        const result = await race({ servers, model, connections, what: content('binary'), tell });
        const { figures } = result;
        const gain = ratio(figures.spillway.rate, figures['batching-off'].rate);
        return {
          endpoints: endpoints(result),
          checks: [
            {
              what: 'rate over batching off',
              required: `at least ${atLeast}x`,
              measured: gain,
              unit: 'x',
              ok: gain.median >= atLeast,
            },
          ],
          command: result.command,
          setup: { connections },
          notes: [
            'batching-off is the same configuration with batching.batchRowsMax 1: one runner per core, no batches.',
          ],
        };
      } finally {
        await stop(...servers);
      }
    },
  };
}

export const tinyBinary1 = onOff('tiny', 1, 0.9);
export const tinyBinary8 = onOff('tiny', 8, 1);
export const mlpBinary8 = onOff('mlp', 8, 1.7);
