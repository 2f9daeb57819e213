// What it was measured on, and how quiet it was.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { root } from './settings.mjs';

function ask(command, ...args) {
  try {
    return execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown';
  }
}

/** The machine and the versions. */
export function describeMachine() {
  const package_ = JSON.parse(fs.readFileSync(`${root}/native/package.json`, 'utf8'));
  const changed = ask('git', 'status', '--porcelain', '--untracked-files=no') !== '';
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memory_gib: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()}`,
    dotnet:
      ask('dotnet', '--list-runtimes').match(/Microsoft\.NETCore\.App (\S+)(?![\s\S]*Microsoft\.NETCore\.App )/)?.[1] ??
      'unknown',
    node: process.version,
    onnxruntime: package_.dependencies['onnxruntime-node'],
    commit: ask('git', 'rev-parse', '--short', 'HEAD') + (changed ? ' with changes' : ''),
  };
}

export function loadAverage() {
  return os.loadavg()[0];
}

/** Resident memory of a process in MiB. */
export function residentMib(pid) {
  const kib = fs.readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+)/m);
  return kib ? Number(kib[1]) / 1024 : null;
}

/** User and system time of one process, in seconds; the kernel counts in hundredths. */
export function cpuSeconds(pid) {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Busy and all CPU seconds of the machine, and those of this run's own process tree. */
export function cpuMark() {
  const fields = fs.readFileSync('/proc/stat', 'utf8').split('\n', 1)[0].trim().split(/\s+/).slice(1, 9).map(Number);
  const all = fields.reduce((sum, f) => sum + f, 0);
  return { all, busy: all - fields[3] - fields[4], own: ownTicks() };
}

/** The share of the machine that somebody else used between two marks: what makes a result doubtful. */
export function othersShare(begin, end) {
  const others = end.busy - begin.busy - (end.own - begin.own);
  return Math.max(0, others / Math.max(1, end.all - begin.all));
}

function ownTicks() {
  const entries = new Map();
  for (const name of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = fs.readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      entries.set(Number(name), {
        parent: Number(fields[1]),
        ticks: fields.slice(11, 15).reduce((s, f) => s + Number(f), 0),
      });
    } catch {
      // It ended while we looked; its parent's sum has it.
    }
  }
  let sum = 0;
  for (const [id, entry] of entries) {
    for (let at = id, hops = 0; at && hops < 64; at = entries.get(at)?.parent, hops++) {
      if (at === process.pid) {
        sum += entry.ticks;
        break;
      }
    }
  }
  return sum;
}
