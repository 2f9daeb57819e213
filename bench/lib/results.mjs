// Results as files: one .json for programs and one .md for people per row and day, and the table of the README.
import fs from 'node:fs';
import path from 'node:path';
import { results, root, trial } from './settings.mjs';
import { show, showSpread } from './stats.mjs';

const readme = path.join(root, 'bench/README.md');
const [begin, end] = ['<!-- results: written by bench/run -->', '<!-- end of results -->'];
const doubtfulShare = 0.1;

/** Figures may be a spread, a number or text. */
function figure(measured, unit) {
  const text =
    typeof measured === 'string'
      ? measured
      : typeof measured === 'object' && measured
        ? showSpread(measured)
        : show(measured);
  return unit && text !== '-' ? `${text} ${unit}` : text;
}

/** The verdict in one word. */
export const verdict = (result) => (result.checks.every((c) => c.ok) ? 'reached' : 'SHORT');

export function save(result) {
  fs.mkdirSync(results, { recursive: true });
  const stem = path.join(results, `${result.date.slice(0, 10)}-${result.row}`);
  fs.writeFileSync(`${stem}.json`, `${JSON.stringify(result, null, 1)}\n`);
  fs.writeFileSync(`${stem}.md`, text(result));
  return `${stem}.md`;
}

const table = (head, rows) =>
  [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...rows.map((r) => `| ${r.join(' | ')} |`)].join(
    '\n',
  );

/** A result for people. */
export function text(result) {
  const parts = [
    `# ${result.work}`,
    `\`bench/run ${result.row}\`, ${result.date.slice(0, 16).replace('T', ' ')} UTC: **${verdict(result)}**`,
  ];
  if (trial) parts.push('A trial: shorter than the method asks, so its figures mean nothing.');
  parts.push(
    table(
      ['required', 'measured', ''],
      result.checks.map((c) => [
        `${c.what}: ${c.required}`,
        figure(c.measured, c.unit),
        c.ok ? 'reached' : '**short**',
      ]),
    ),
  );
  if (result.endpoints.length > 0) {
    parts.push(
      table(
        ['server', 'requests/s', 'CPU µs per request', 'p50 ms', 'p99 ms', 'rows per batch', "client's CPU µs"],
        result.endpoints.map((e) => [
          e.name,
          showSpread(e.rate),
          showSpread(e.cpu_us),
          showSpread(e.p50_ms),
          showSpread(e.p99_ms),
          show(e.mean_batch),
          showSpread(e.client_cpu_us),
        ]),
      ),
    );
  }
  if (result.figures?.length)
    parts.push(
      table(
        ['figure', 'measured'],
        result.figures.map((f) => [f.what, figure(f.measured, f.unit)]),
      ),
    );
  if (result.reference?.length) {
    parts.push(
      table(
        ['known figure (2-core AMD EPYC)', 'here', 'known', 'ratio'],
        result.reference.map((r) => [
          r.what,
          figure(r.measured, r.unit),
          figure(r.expected, r.unit),
          `${show(r.measured / r.expected)}x${r.measured > 1.5 * r.expected ? ' **explain**' : ''}`,
        ]),
      ),
    );
  }
  const [m, others] = [result.machine, result.quiet.others_share];
  const facts = [
    `${m.cpu}, ${m.cores} cores, ${m.memory_gib} GiB, ${m.kernel}; ` +
      `.NET ${m.dotnet}, ONNX Runtime ${m.onnxruntime}, Node ${m.node}; commit ${m.commit}`,
    `${result.rounds} rounds of ${result.seconds} s; load average ${show(result.quiet.load_before)} before; ` +
      `${show(100 * others)} % of the machine used by others${others > doubtfulShare ? ': **doubtful**' : ''}`,
    ...Object.entries(result.setup ?? {})
      .filter(([, v]) => typeof v !== 'object' || v.every?.((x) => typeof x === 'number'))
      .map(([k, v]) => `${k.replaceAll('_', ' ')}: ${Array.isArray(v) ? v.map(show).join(', ') : show(v)}`),
    ...(result.calibration ?? []),
    ...(result.notes ?? []),
  ];
  parts.push(facts.map((f) => `- ${f}`).join('\n'), ['One round:', '```', result.command, '```'].join('\n'));
  return `${parts.join('\n\n')}\n`;
}

/** Writes the README's table anew from the newest committed result of each row. */
export function rewriteReadme(rows) {
  const folder = path.join(root, 'bench/results');
  const files = fs
    .readdirSync(folder)
    .filter((f) => f.endsWith('.json'))
    .sort();
  const lines = rows.flatMap((row) => {
    const file = files.filter((f) => f.slice(11) === `${row.name}.json`).at(-1);
    if (!file) return [[row.name, row.work, '', 'not measured yet', '', '']];
    const result = JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'));
    return result.checks.map((c, i) => [
      i ? '' : `[${row.name}](results/${file.replace('.json', '.md')})`,
      c.what,
      c.required,
      figure(c.measured, c.unit),
      c.ok ? 'reached' : '**short**',
      i ? '' : result.date.slice(0, 10),
    ]);
  });
  const old = fs.readFileSync(readme, 'utf8');
  const [from, to] = [old.indexOf(begin), old.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${readme} lacks the marks ${begin} and ${end}.`);
  const fresh = table(['row', 'what', 'required', 'measured: median (lowest..highest)', '', 'date'], lines);
  fs.writeFileSync(readme, `${old.slice(0, from + begin.length)}\n${fresh}\n${old.slice(to)}`);
}
