// bench/run: measures rows one after another, writes their results, stops everything it started.
import fs from 'node:fs';
import { app, results, root, rounds, seconds, tool, trial } from './settings.mjs';
import { cpuMark, describeMachine, loadAverage, othersShare } from './machine.mjs';
import { killAll, stopAll, takeCalibrations, writeModels } from './processes.mjs';
import { rewriteReadme, save, text, verdict } from './results.mjs';
import { audit } from '../rows/audit.mjs';
import { mlpBinary, mlpJson } from '../rows/mlp.mjs';
import { mlpBinary8, tinyBinary1, tinyBinary8 } from '../rows/batching.mjs';
import { everything } from '../rows/everything.mjs';
import { budgetKill, fairShares, killSwitch } from '../rows/guards.mjs';
import { ocrTensor } from '../rows/ocr-tensor.mjs';
import { ocrOverload } from '../rows/ocr-overload.mjs';
import { ledger } from '../rows/ledger.mjs';
import { memory } from '../rows/memory.mjs';
import { mixedOcr, mixedRecurrent } from '../rows/mixed-lengths.mjs';
import { sessionCache } from '../rows/session-cache.mjs';
import { grpc } from '../rows/grpc.mjs';
import { reload, replica, zipf } from '../rows/repository.mjs';
import { rollback, routeOn } from '../rows/rollout.mjs';
import { cacheHit, cacheRepeats, chainSpike, upstreamDead } from '../rows/routes.mjs';
import { foresight } from '../rows/foresight.mjs';
import { gateway } from '../rows/gateway.mjs';
import { portkey } from '../rows/portkey.mjs';
import { budgetStreams, slowStreams, streams } from '../rows/streams.mjs';
import { sharing } from '../rows/sharing.mjs';
import { json, plan, start } from '../rows/single.mjs';

const rows = [
  ...[json, start, sessionCache, mlpJson, mlpBinary, tinyBinary1, tinyBinary8, mlpBinary8],
  ...[ocrTensor, ocrOverload, sharing, mixedOcr, mixedRecurrent, memory],
  ...[grpc, replica, zipf, reload],
  ...[budgetKill, killSwitch, fairShares, everything, ledger, audit],
  ...[cacheHit, cacheRepeats, chainSpike, upstreamDead, routeOn, rollback, gateway, plan, foresight],
  ...[portkey, budgetStreams, streams, slowStreams],
];

function usage() {
  console.log(`Usage: bench/run <row …>|all|report

Rows:
${rows.map((r) => `  ${r.name.padEnd(24)} ${r.work}`).join('\n')}
  report                   writes the table of bench/README.md anew from bench/results/

Environment: BENCH_ROUNDS (7), BENCH_SECONDS (3), BENCH_LONG_SECONDS (60): shorter is a trial, written to
artifacts/bench/trial. BENCH_RESULTS: another folder. BENCH_DEADLINE_MS (250) and BENCH_NORMAL_SHARE (0.6) of ocr-overload.
BENCH_BUILD=0: measure what is built.
Exit codes: 0 every row reached, 1 a row is short or failed, 2 wrong usage, 130 interrupted.`);
}

function tell(name) {
  return (message) =>
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${name}: ${message}` : `${name}: ${message}\n`);
}

async function measure(row) {
  const [before, begin] = [loadAverage(), cpuMark()];
  takeCalibrations();
  const measured = await row.run({ tell: tell(row.name) });
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  const result = {
    schema: 'spillway.bench/1',
    row: row.name,
    work: row.work,
    date: new Date().toISOString(),
    trial,
    rounds,
    seconds,
    machine: describeMachine(),
    quiet: { load_before: before, others_share: othersShare(begin, cpuMark()) },
    calibration: takeCalibrations(),
    ...measured,
  };
  const file = save(result);
  console.log(`${text(result)}\n-> ${file.replace(`${root}/`, '')}\n`);
  return verdict(result) === 'reached';
}

async function main(names) {
  if (names.length === 0 || names.includes('-h') || names.includes('--help')) {
    usage();
    return names.length === 0 ? 2 : 0;
  }
  if (names.length === 1 && names[0] === 'report') {
    rewriteReadme(rows);
    return 0;
  }
  const unknown = names.filter((n) => n !== 'all' && !rows.some((r) => r.name === n));
  if (unknown.length > 0) {
    console.error(`There is no row '${unknown[0]}'. Rows: ${rows.map((r) => r.name).join(', ')}, all.`);
    return 2;
  }
  for (const file of [app, tool]) {
    if (!fs.existsSync(file)) throw new Error(`${file} is missing. Run without BENCH_BUILD=0.`);
  }
  await writeModels();
  const wanted = names.includes('all') ? rows : rows.filter((r) => names.includes(r.name));
  const short = [];
  for (const row of wanted) {
    try {
      if (!(await measure(row))) short.push(row.name);
    } catch (error) {
      if (interrupted) break;
      console.error(`${row.name} failed: ${error.message}`);
      short.push(`${row.name} (failed)`);
      await stopAll();
    }
  }
  if (!trial && results.startsWith(root)) rewriteReadme(rows);
  console.log(short.length === 0 ? `All ${wanted.length} reached.` : `Not reached: ${short.join(', ')}.`);
  return short.length === 0 ? 0 : 1;
}

let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, async () => {
    if (interrupted) return killAll();
    interrupted = true;
    console.error(`\n${signal}: stopping what runs …`);
    await stopAll();
    process.exit(130);
  });
}
process.on('exit', killAll);

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
} finally {
  await stopAll();
}
