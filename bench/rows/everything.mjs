// What do all guard rails cost together, when none of them refuses? The same server with and without them.
import fs from 'node:fs';
import path from 'node:path';
import { configOf, content, endpoints, loadArguments, race, stop } from '../lib/closed-loop.mjs';
import { load, runSpillway, startSpillway } from '../lib/processes.mjs';
import { root, rounds, scratch, trial } from '../lib/settings.mjs';
import { pair, spread } from '../lib/stats.mjs';
import { metrics } from '../lib/wire.mjs';

const connections = 64;
const allocated = 'dotnet_gc_allocated_bytes_total';

export const everything = {
  name: 'everything',
  work: `tiny, binary, ${connections} connections: keys, a rate, a budget, prices, ledger and audit, on against off`,
  async run({ tell }) {
    const folder = path.join(scratch, 'state', 'everything');
    fs.rmSync(folder, { recursive: true, force: true });
    const env = { SPILLWAY__SERVER__STATEFOLDER: folder };
    const config = path.join(root, 'bench/config/everything');
    const made = await runSpillway(['keys', 'create', '--config', config, '--tenant', 'acme', '--json'], env);
    const key = ['--key', JSON.parse(made).key];
    const [on, off] = [await startSpillway('on', config, env), await startSpillway('off', configOf('tiny'))];
    const servers = [on, off];
    const what = [...content('binary'), ...key];
    try {
      const result = await race({ servers, model: 'tiny', connections, what, tell });
      const { figures } = result;
      const more = spread(pair([figures.on.cpu, figures.off.cpu], (a, b) => a - b));
      tell('allocation');
      const bytes = { on: await perRequest(on, what), off: await perRequest(off, what) };
      const kilobyte = bytes.on.median - bytes.off.median;
      return {
        endpoints: endpoints(result),
        checks: [
          {
            what: 'CPU per request, writers of ledger and audit included, over the server without them',
            required: 'at most 10 µs',
            measured: more,
            unit: 'µs',
            ok: more.median <= 10,
          },
          {
            what: 'bytes allocated per request over the server without them',
            required: 'at most 1,024 B',
            measured: kilobyte,
            unit: 'B',
            ok: kilobyte <= 1024,
          },
        ],
        figures: [
          { what: 'allocated, on', measured: bytes.on, unit: 'B per request' },
          { what: 'allocated, off', measured: bytes.off, unit: 'B per request' },
        ],
        command: result.command.replace(/sw_\S+/, 'KEY'),
        setup: { connections },
        notes: ['Both servers get the same key; the one without guard rails does not look at it.'],
      };
    } finally {
      await stop(...servers);
    }
  },
};

async function perRequest(server, what) {
  const run = (seed) =>
    load([
      ...loadArguments([server], 'tiny', connections, what, 600),
      ...['--requests', trial ? 4000 : 40_000, '--warmup', '0s', '--seed', seed],
    ]);
  await run(0);
  const values = [];
  for (let round = 1; round <= Math.min(rounds, 3); round++) {
    const before = (await metrics(server))[allocated];
    const report = await run(round);
    values.push(((await metrics(server))[allocated] - before) / report.endpoints[0].total.counts.completed);
  }
  return spread(values);
}
