// Rows that are one command of Spillway.Bench.
import fs from 'node:fs';
import path from 'node:path';
import { bench, benchWith } from '../lib/processes.mjs';
import { app, root, rounds, scratch } from '../lib/settings.mjs';

export const json = {
  name: 'json',
  work: 'JSON tensor of 46,080 floats',
  async run({ tell }) {
    tell('both readers in turns');
    const race = await bench('json', '--rounds', rounds);
    return {
      endpoints: [],
      checks: race.payloads.flatMap((p) => [
        {
          what: `${p.name}: times as fast as Utf8JsonReader`,
          required: 'at least 4x',
          measured: p.ratio,
          unit: 'x',
          ok: p.ratio.median >= 4,
        },
        {
          what: `${p.name}: floats with other bits`,
          required: '0',
          measured: p.bit_mismatches,
          unit: '',
          ok: p.bit_mismatches === 0,
        },
      ]),
      figures: race.payloads.flatMap((p) => [
        {
          what: `${p.name} (${p.bytes.toLocaleString('en-US')} B): the request reader`,
          measured: p.ours_microseconds,
          unit: 'µs',
        },
        { what: `${p.name}: a loop of Utf8JsonReader`, measured: p.utf8_json_reader_microseconds, unit: 'µs' },
      ]),
      command: `dotnet Spillway.Bench.dll json --rounds ${rounds}`,
      reference: race.payloads.map((p, i) => ({
        what: `Utf8JsonReader, ${p.name}`,
        measured: p.utf8_json_reader_microseconds.median,
        expected: [3560, 2080][i],
        unit: 'µs',
      })),
      notes: [
        "CPU time. The whole request is read and checked, headers included; that invalid JSON is refused is the tests' business.",
      ],
    };
  },
};

export const start = {
  name: 'start',
  work: 'process start to the first answer of the demo',
  async run({ tell }) {
    tell(`${rounds} starts`);
    const args = [
      '--config',
      path.join(root, 'samples/demo'),
      '--picture',
      path.join(root, 'samples/ocr/invoice.png'),
      '--runs',
      rounds,
    ];
    const env = { SPILLWAY_CACHE: path.join(scratch, 'cache-start') };
    fs.rmSync(env.SPILLWAY_CACHE, { recursive: true, force: true });
    const cold = await benchWith(env, 'start', '--app', app, ...args.slice(0, -1), 1);
    const result = await benchWith(env, 'start', '--app', app, ...args);
    return {
      endpoints: [],
      checks: [
        {
          what: 'CPU time (user + system) at the first 200, caches warm',
          required: 'at most 0.7 s',
          measured: result.cpu_seconds,
          unit: 's',
          ok: result.cpu_seconds.median <= 0.7,
        },
      ],
      figures: [
        { what: 'wall time', measured: result.wall_seconds, unit: 's' },
        { what: 'CPU time of one start before, which fills the empty cache', measured: cold.cpu_seconds, unit: 's' },
        { what: 'requests until the first 200', measured: result.asked, unit: '' },
      ],
      command: `dotnet Spillway.Bench.dll start --app Spillway.App.dll ${args.map((a) => String(a).replace(`${root}/`, '')).join(' ')}`,
      notes: [
        'A client asks with a picture every 20 ms from the start on; one that comes too early is answered 503. The kernel counts in hundredths of a second.',
      ],
    };
  },
};

const halved = (spread) => Object.fromEntries(Object.entries(spread).map(([name, value]) => [name, value / 2]));

export const plan = {
  name: 'plan',
  work: 'the planner: simulated requests a second on one core',
  async run({ tell }) {
    tell('one queue and a whole candidate in turns');
    // The recorded hour is public (CC-BY 4.0) and not in this repository: SPILLWAY_DATA names the folder that has it.
    const hour = path.join(process.env.SPILLWAY_DATA ?? '', 'traces/azure-llm-2023/AzureLLMInferenceTrace_conv.csv');
    const found = Boolean(process.env.SPILLWAY_DATA) && fs.existsSync(hour);
    const more = found ? ['--trace', hour, '--hardware', path.join(root, 'samples/plans/hardware.yaml')] : [];
    const race = await bench('plan', '--rounds', rounds, ...more);
    const search = race.search;
    return {
      endpoints: [],
      checks: [
        {
          what: 'simulated requests a second through one queue',
          required: 'at least 3,000,000',
          measured: race.single_queue_per_second,
          unit: '/s',
          ok: race.single_queue_per_second.median >= 3_000_000,
        },
        {
          what: 'simulated requests a second through network, balancing, batches and scaling',
          required: 'at least 200,000',
          measured: race.full_flow_per_second,
          unit: '/s',
          ok: race.full_flow_per_second.median >= 200_000,
        },
        ...(search
          ? [
              {
                what:
                  `${search.candidates} candidates over the recorded hour (${search.requests} requests after the ` +
                  'warm-up): half of the processor time, so of two cores',
                required: 'under 20 s',
                measured: halved(search.cpu_seconds),
                unit: 's',
                ok: search.cpu_seconds.median / 2 < 20,
              },
            ]
          : []),
      ],
      figures: search ? [{ what: 'the search on two threads, wall time', measured: search.wall_seconds, unit: 's' }] : [],
      command: `dotnet Spillway.Bench.dll plan --rounds ${rounds}${found ? ' --trace AzureLLMInferenceTrace_conv.csv' : ''}`,
      reference: [],
      notes: [
        'CPU time. The whole candidate plays the production deployment flow, every law asserted.',
        found
          ? 'The search reads the plan and plays every candidate to its end: none is stopped early, so that each has its figures.'
          : 'The search of a hundred candidates was left out: SPILLWAY_DATA does not name the folder with the Azure trace of 2023.',
      ],
    };
  },
};
