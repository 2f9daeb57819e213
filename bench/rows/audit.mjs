// The audit log at 20,000 records a second for a minute: does a request ever wait for the disk, is anything lost?
import path from 'node:path';
import { bench } from '../lib/processes.mjs';
import { longSeconds, scratch } from '../lib/settings.mjs';

export const audit = {
  name: 'audit',
  work: 'audit log, 20,000 records a second for a minute, clean stop, verified',
  async run({ tell }) {
    tell(`${longSeconds} s`);
    const args = ['--rate', 20000, '--seconds', longSeconds, '--folder', path.join(scratch, 'audit')];
    const r = await bench('audit', ...args);
    return {
      endpoints: [],
      checks: [
        { what: 'records missing after a clean stop', required: '0', measured: r.missing, unit: '', ok: r.missing === 0 && r.lost === 0 },
        { what: 'the log verifies, every record signed', required: 'yes', measured: r.whole && r.unsigned === 0 ? 'yes' : 'no', unit: '', ok: r.whole && r.unsigned === 0 },
        {
          what: 'most records that ever waited',
          required: 'under three quarters of the queue (49,152)',
          measured: r.waiting_max,
          unit: '',
          ok: r.waiting_max < 49152,
        },
        {
          what: 'time on the request path, 99.9th percentile',
          required: 'at most 100 µs',
          measured: r.offer_p999_microseconds,
          unit: 'µs',
          ok: r.offer_p999_microseconds <= 100,
        },
        { what: 'CPU per record, request path and writer', required: 'at most 6 µs', measured: r.cpu_microseconds, unit: 'µs', ok: r.cpu_microseconds <= 6 },
      ],
      figures: [
        { what: 'records', measured: r.offered, unit: '' },
        { what: 'time on the request path, median', measured: r.offer_median_microseconds, unit: 'µs' },
        { what: 'time on the request path, longest (the machine takes threads away too)', measured: r.offer_max_microseconds, unit: 'µs' },
        { what: 'bytes on disk per record, hashes and heads included', measured: r.bytes_per_record, unit: 'B' },
      ],
      command: `dotnet Spillway.Bench.dll audit --rate 20000 --seconds ${longSeconds}`,
      notes: [
        'In one process without a server: a timer offers what is due each millisecond through the sink of the server; what the timer itself costs is measured before and taken off. Heads are signed and forced to the disk each second.',
      ],
    };
  },
};
