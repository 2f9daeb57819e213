// Requests of any length from 160 to 960, evenly: what do buckets gain, and what do they cost? Three servers in turns:
// with buckets; unbucketed, which means that every run is padded to the longest length there is; and unpadded, where
// only equal lengths run together.
import path from 'node:path';
import { configOf, endpoints, race, ratio, stop } from '../lib/closed-loop.mjs';
import { startSpillway } from '../lib/processes.mjs';
import { root } from '../lib/settings.mjs';

const variants = 200;
const ladder = (wasteMax) => `min: 160, max: 960, step: 8, wasteMax: ${wasteMax}`;
const one = 'buckets: [960], wasteMax: 0.9';

const models = {
  ocr: {
    work: 'line-ocr-tensor, widths 160 to 960',
    config: path.join(root, 'samples/demo'),
    deployment: 'LINE_OCR',
    model: 'line-ocr-tensor',
    connections: 8,
    wasteMax: 0.15,
    shape: 'x=1,3,48,160..960',
    output: 'json',
    section: (lengths) => `{ inputs: { x: { axis: 3 } }, ${lengths} }`,
    note: 'Batching gains this model nothing on a processor: buckets save padding here, and nothing else.',
  },
  recurrent: {
    work: 'a recurrent net, lengths 160 to 960',
    config: configOf('mixed-lengths'),
    deployment: 'RECURRENT',
    model: 'recurrent',
    connections: 32,
    // Fewer buckets, fuller batches; the mean over even lengths is about half of it.
    wasteMax: 0.25,
    shape: 'x=1,160..960,16',
    output: 'binary',
    section: (lengths) => `{ inputs: { x: { axis: 1 } }, outputs: { y: { axis: 1 } }, ${lengths} }`,
    note: 'What batching gains this model is in its useful batch, above: without a gain, padding only costs.',
  },
};

/** Padding between two looks, in percent of what ran. */
const waste = (before, after) => {
  const [real, padding] = ['real', 'padding'].map((kind) => after[kind] - before[kind]);
  return real + padding > 0 ? (100 * padding) / (real + padding) : 0;
};

/** Elements run so far, by kind. */
async function elements(server) {
  const answer = await (await fetch(`${server.url}/metrics`)).text();
  const of = (kind) =>
    [...answer.matchAll(new RegExp(`^spillway_batch_elements_total\\{.*kind="${kind}".*\\} (\\S+)$`, 'gm'))].reduce(
      (sum, found) => sum + Number(found[1]),
      0,
    );
  return { real: of('real'), padding: of('padding') };
}

function mixed(name) {
  const { work, config, deployment, model, connections, wasteMax, shape, output, section, note } = models[name];
  const start = (server, lengths) =>
    startSpillway(server, config, {
      [`SPILLWAY__MODELS__${deployment}__DEADLINE__FIXEDMS`]: '60000',
      ...(lengths ? { [`SPILLWAY__MODELS__${deployment}__PADDING`]: section(lengths) } : {}),
    });
  return {
    name: `mixed-lengths-${name}`,
    work: `${work}, binary, ${connections} connections, buckets against one length and against none`,
    async run({ tell }) {
      const servers = [];
      try {
        servers.push(await start('buckets', ladder(wasteMax)), await start('one-length', one), await start('unpadded'));
        const before = await Promise.all(servers.map(elements));
        const what = ['--shape', shape, '--variants', variants, '--format', 'binary', '--output-format', output];
        const result = await race({ servers, model, connections, what, tell });
        const after = await Promise.all(servers.map(elements));
        const padding = servers.map((_, i) => waste(before[i], after[i]));
        const { figures } = result;
        const gain = ratio(figures.buckets.rate, figures['one-length'].rate);
        return {
          endpoints: endpoints(result),
          checks: [
            {
              what: 'rate over one length for all',
              required: 'at least 1.3x',
              measured: gain,
              unit: 'x',
              ok: gain.median >= 1.3,
            },
            {
              what: 'padding in what ran',
              required: 'under 15 %',
              measured: padding[0],
              unit: '%',
              ok: padding[0] < 15,
            },
          ],
          figures: [
            { what: 'rate over no padding', measured: ratio(figures.buckets.rate, figures.unpadded.rate), unit: 'x' },
            {
              what: 'CPU per request over no padding',
              measured: ratio(figures.buckets.cpu, figures.unpadded.cpu),
              unit: 'x',
            },
            { what: 'padding with one length', measured: padding[1], unit: '%' },
          ],
          command: result.command,
          setup: { connections, variants },
          notes: [
            `buckets: padding { ${ladder(wasteMax)} }; one-length: every request padded to 960; ` +
              'unpadded: no section, so that only equal lengths run together.',
            note,
          ],
        };
      } finally {
        await stop(...servers);
      }
    },
  };
}

export const mixedOcr = mixed('ocr');
export const mixedRecurrent = mixed('recurrent');
