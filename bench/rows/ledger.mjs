// Bills at 20,000 requests a second for a minute through the real queue and writer: does anybody wait, is all of it there?
import path from 'node:path';
import { bench } from '../lib/processes.mjs';
import { longSeconds, scratch } from '../lib/settings.mjs';

const rate = 20_000;

export const ledger = {
  name: 'ledger',
  work: 'the ledger at 20,000 entries a second: queue, CPU, nothing lost at a clean stop',
  async run({ tell }) {
    tell(`${longSeconds} s at ${rate} a second`);
    const folder = path.join(scratch, 'ledger');
    const args = ['--rate', rate, '--seconds', longSeconds, '--folder', folder];
    const result = await bench('ledger', ...args);
    const lost = result.entries - result.kept + result.lost + result.missing_at_next_start;
    return {
      endpoints: [],
      checks: [
        { what: 'entries lost, a clean stop included', required: '0', measured: lost, unit: '', ok: lost === 0 && result.kept_sum_is_right },
        {
          what: 'deepest queue, share of its places',
          required: 'at most 50 %',
          measured: (100 * result.queue_deepest) / result.queue_capacity,
          unit: '%',
          ok: result.queue_deepest <= result.queue_capacity / 2,
        },
        {
          what: 'handing an entry over, p99.9',
          required: 'at most 100 µs: nobody waits for the disk',
          measured: result.offer_p999_microseconds,
          unit: 'µs',
          ok: result.offer_p999_microseconds <= 100,
        },
        {
          what: 'CPU per entry, queue and writer together',
          required: 'at most 6 µs',
          measured: result.cpu_microseconds,
          unit: 'µs',
          ok: result.cpu_microseconds <= 6,
        },
        {
          what: 'rate',
          required: `at least ${0.99 * rate} entries/s`,
          measured: result.rate,
          unit: 'entries/s',
          ok: result.rate >= 0.99 * rate,
        },
      ],
      figures: [
        { what: 'entries', measured: result.entries, unit: '' },
        { what: 'handing over, p50', measured: result.offer_p50_microseconds, unit: 'µs' },
        { what: 'handing over, p99', measured: result.offer_p99_microseconds, unit: 'µs' },
        { what: 'handing over, longest', measured: result.offer_max_microseconds, unit: 'µs' },
        { what: 'the same pace without a ledger, longest', measured: result.empty_max_microseconds, unit: 'µs' },
        { what: 'time in transactions per entry', measured: result.writer_microseconds, unit: 'µs' },
        { what: 'deepest queue', measured: result.queue_deepest, unit: `of ${result.queue_capacity}` },
        { what: 'ledger.db at the end', measured: result.file_mib, unit: 'MiB' },
      ],
      command: `dotnet Spillway.Bench.dll ledger --rate ${rate} --seconds ${longSeconds}`,
      setup: { long_seconds: longSeconds },
      notes: [
        'CPU is the process with the ledger minus the same pace without it. The ledger is opened again afterwards and its sums are held against what was handed over.',
      ],
    };
  },
};
