// Where things are, and how long a row is measured. The defaults are the method's; anything shorter is a trial.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
export const app = path.join(root, 'artifacts/app/Spillway.App.dll');
export const tool = path.join(root, 'artifacts/bin/Spillway.Bench/release/Spillway.Bench.dll');
export const scratch = path.join(root, 'artifacts/bench');

const method = { rounds: 7, seconds: 3, longSeconds: 60 };

function number(variable, otherwise, least) {
  const text = process.env[variable];
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  if (!(value >= least)) throw new Error(`${variable}=${text} is not a number of at least ${least}.`);
  return value;
}

export const rounds = Math.trunc(number('BENCH_ROUNDS', method.rounds, 1));
export const seconds = number('BENCH_SECONDS', method.seconds, 0.2);
/** Length of the Poisson runs and of the flood that the memory is watched in. */
export const longSeconds = number('BENCH_LONG_SECONDS', method.longSeconds, 1);
/** Deadline of line-ocr in the overload row: five times the time of its widest sample is less, so the demo's floor. */
export const deadlineMs = number('BENCH_DEADLINE_MS', 250, 1);
/** Normal traffic of the 1x, 10x, 1x run as a share of capacity: a server is not run at its limit. */
export const normalShare = number('BENCH_NORMAL_SHARE', 0.6, 0.01);

export const trial = rounds < method.rounds || seconds < method.seconds || longSeconds < method.longSeconds;
export const results = process.env.BENCH_RESULTS ?? path.join(root, trial ? 'artifacts/bench/trial' : 'bench/results');
