// The few requests that the runner sends itself: to learn the size of an answer, to compare answers, to read metrics.
import fs from 'node:fs';

const headerLength = 'Inference-Header-Content-Length';

async function ask(url, options) {
  const answer = await fetch(url, options);
  const body = Buffer.from(await answer.arrayBuffer());
  if (!answer.ok) throw new Error(`${url} was answered with ${answer.status}: ${body.toString('utf8', 0, 300)}`);
  return { body, headers: answer.headers };
}

/** A server's answer to a JSON request. */
export async function inferJson(server, model, file) {
  const { body } = await ask(`${server.url}/v2/models/${model}/infer`, { method: 'POST', body: fs.readFileSync(file) });
  return { bytes: body.length, outputs: JSON.parse(body).outputs };
}

/** A server's answer to a binary request of zeros: how many bytes it has. */
export async function inferBinary(server, model, shape, binaryOut = true) {
  const size = shape.reduce((product, dim) => product * dim, 4);
  const head = Buffer.from(
    JSON.stringify({
      parameters: binaryOut ? { binary_data_output: true } : {},
      inputs: [{ name: 'x', shape, datatype: 'FP32', parameters: { binary_data_size: size } }],
    }),
  );
  const { body } = await ask(`${server.url}/v2/models/${model}/infer`, {
    method: 'POST',
    body: Buffer.concat([head, Buffer.alloc(size)]),
    headers: { [headerLength]: String(head.length) },
  });
  return { bytes: body.length };
}

/** Sums of /metrics by name, over their labels. */
export async function metrics(server) {
  const { body } = await ask(`${server.url}/metrics`);
  const sums = {};
  for (const line of body.toString().split('\n')) {
    const found = /^([a-z_:]+)(?:\{[^}]*\})? (\S+)$/i.exec(line);
    if (found) sums[found[1]] = (sums[found[1]] ?? 0) + Number(found[2]);
  }
  return sums;
}

/** Rows per batch between two looks at the metrics. */
export function meanBatch(before, after) {
  const batches = after.spillway_batch_rows_count - before.spillway_batch_rows_count;
  return batches > 0 ? (after.spillway_batch_rows_sum - before.spillway_batch_rows_sum) / batches : null;
}
