// The REST door of the Open Inference Protocol, asked as tritonclient.http asks: the same paths, headers and bodies
// (binary tensors behind a JSON header, `Inference-Header-Content-Length`, compression both ways), over Node's own HTTP
// client. Usage: node http.mjs <http://host:port>. The models are those of GrpcServer, with the shelf in a repository
// under explicit control. One line a scenario, "ok <name>" or "FAILED <name>: <why>"; exit code 1 after any failure.
import assert from 'node:assert/strict';
import http from 'node:http';
import zlib from 'node:zlib';

const base = new URL(process.argv[2]);
const agent = new http.Agent({ keepAlive: true });
const LENGTH = 'inference-header-content-length';

/** One request; the answer's status, headers and whole body. */
const ask = (method, path, body = '', headers = {}) =>
  new Promise((resolve, reject) => {
    const sent = Buffer.from(body);
    const request = http.request(
      { agent, hostname: base.hostname, port: base.port, method, path, headers: { 'content-length': sent.length, ...headers } },
      (answer) => {
        const chunks = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const whole = Buffer.concat(chunks);
          const coding = answer.headers['content-encoding'];
          const plain = coding === 'gzip' ? zlib.gunzipSync(whole) : coding === 'deflate' ? zlib.inflateSync(whole) : whole;
          resolve({ status: answer.statusCode, headers: answer.headers, body: plain, json: () => JSON.parse(plain) });
        });
      },
    );
    request.on('error', reject);
    request.end(sent);
  });
const get = (path) => ask('GET', path);
const post = (path, json) => ask('POST', path, JSON.stringify(json), { 'content-type': 'application/json' });

const floats = (values) => Buffer.from(Float32Array.from(values).buffer);
const numbers = (buffer) => [...new Float32Array(Uint8Array.from(buffer).buffer)];

/** A request as tritonclient writes it: JSON, then the bytes of the inputs. */
function infer(model, { inputs, outputs, parameters, id, version = '' }, codings = {}) {
  const data = Buffer.concat(inputs.map((input) => input.raw ?? Buffer.alloc(0)));
  const json = Buffer.from(JSON.stringify({
    ...(id ? { id } : {}),
    ...(parameters ? { parameters } : {}),
    inputs: inputs.map(({ raw, ...input }) => (raw ? { ...input, parameters: { binary_data_size: raw.length } } : input)),
    ...(outputs ? { outputs } : {}),
  }));
  const whole = Buffer.concat([json, data]);
  const sent = codings.request === 'gzip' ? zlib.gzipSync(whole) : codings.request === 'deflate' ? zlib.deflateSync(whole) : whole;
  return ask('POST', `/v2/models/${model}${version && `/versions/${version}`}/infer`, sent, {
    ...(data.length > 0 ? { [LENGTH]: json.length } : {}),
    ...(codings.request ? { 'content-encoding': codings.request } : {}),
    ...(codings.response ? { 'accept-encoding': codings.response } : {}),
  });
}

/** The answer as tritonclient reads it: outputs by name, binary ones cut from behind the header. */
function read(answer) {
  assert.equal(answer.status, 200, answer.body.toString());
  const length = Number(answer.headers[LENGTH] ?? answer.body.length);
  const json = JSON.parse(answer.body.subarray(0, length));
  let at = length;
  for (const output of json.outputs) {
    const size = output.parameters?.binary_data_size;
    if (size === undefined) continue;
    output.raw = answer.body.subarray(at, at + size);
    at += size;
  }
  assert.equal(at, answer.headers[LENGTH] ? answer.body.length : length);
  return { ...json, output: (name) => json.outputs.find((o) => o.name === name) };
}

const x = (values, more = {}) => ({ name: 'x', shape: [1, 4], datatype: 'FP32', ...more, ...(Array.isArray(values) ? { data: values } : { raw: values }) });
const refused = (answer, status, ...says) => {
  assert.equal(answer.status, status, answer.body.toString());
  const { error } = answer.json();
  for (const words of says) assert.ok(error.includes(words), error);
};

const scenarios = {
  async 'live, ready and metadata'() {
    for (const path of ['/v2/health/live', '/v2/health/ready', '/v2/models/echo/ready', '/v2/models/echo/versions/1/ready'])
      assert.equal((await get(path)).status, 200, path);
    assert.notEqual((await get('/v2/models/nobody/ready')).status, 200);
    const server = (await get('/v2')).json();
    assert.equal(server.name, 'spillway');
    assert.ok(server.extensions.includes('binary_tensor_data'));
    const model = (await get('/v2/models/echo')).json();
    assert.deepEqual([model.name, model.versions, model.inputs], ['echo', ['1'], [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }]]);
  },

  async 'binary there and back'() {
    const outputs = [{ name: 'y', parameters: { binary_data: true } }];
    const answer = read(await infer('echo', { id: 'mine', inputs: [x(floats([1, -2, 3.5, 4]))], outputs }));
    assert.deepEqual([answer.id, answer.model_name, answer.model_version], ['mine', 'echo', '1']);
    assert.deepEqual([answer.output('y').datatype, answer.output('y').shape], ['FP32', [1, 4]]);
    assert.deepEqual(numbers(answer.output('y').raw), [1, -2, 3.5, 4]);
  },

  async 'every mixture of JSON and binary'() {
    for (const sent of [[1, 2, 3, 4], floats([1, 2, 3, 4])]) {
      for (const binary of [true, false]) {
        for (const how of [{ outputs: [{ name: 'y', parameters: { binary_data: binary } }] }, { parameters: { binary_data_output: binary } }]) {
          const { raw, data } = read(await infer('echo', { inputs: [x(sent)], ...how, version: '1' })).output('y');
          assert.deepEqual(binary ? numbers(raw) : data, [1, 2, 3, 4]);
        }
      }
    }
  },

  async 'texts'() {
    const text = (word) => {
      const bytes = Buffer.from(word);
      const size = Buffer.alloc(4);
      size.writeUInt32LE(bytes.length);
      return Buffer.concat([size, bytes]);
    };
    const raw = Buffer.concat([text('grüezi'), text('')]);
    const w = { name: 'w', shape: [2], datatype: 'BYTES' };
    const answer = read(await infer('words', { inputs: [{ ...w, raw }], parameters: { binary_data_output: true } }));
    assert.equal(answer.output('label').datatype, 'BYTES');
    assert.equal(read(await infer('words', { inputs: [{ ...w, data: ['grüezi', ''] }] })).output('label').data.length, 2);
    refused(await infer('words', { inputs: [{ ...w, raw: raw.subarray(0, 7) }] }), 400, 'w');
  },

  async 'several inputs and outputs of other types'() {
    const inputs = [
      { name: 'i', shape: [1, 4], datatype: 'INT8', raw: Buffer.from(Int8Array.from([-128, -1, 0, 127]).buffer) },
      { name: 'b', shape: [1, 2], datatype: 'BOOL', data: [true, false] },
      { name: 's', shape: [1], datatype: 'BYTES', data: ['text'] },
    ];
    const answer = read(await infer('mixed', { inputs, outputs: [{ name: 'p' }, { name: 'o', parameters: { binary_data: true } }] }));
    assert.deepEqual(answer.outputs.map((o) => [o.name, o.shape]), [['p', [1, 2]], ['o', [1, 4]]]);
  },

  async 'compression both ways'() {
    for (const request of ['gzip', 'deflate', undefined]) {
      for (const response of ['gzip', 'deflate']) {
        const rows = 32;
        const raw = floats(new Array(4 * rows).fill(1 / 3));
        const answer = await infer('echo', { inputs: [x(raw, { shape: [rows, 4] })] }, { request, response });
        assert.equal(answer.headers['content-encoding'], response, answer.body.toString());
        assert.equal(read(answer).output('y').data.length, 4 * rows);
      }
    }
    // The limit counts what comes out.
    refused(await infer('echo', { inputs: [x(Buffer.alloc(1 << 20), { shape: [65536, 4] })] }, { request: 'gzip' }), 413, '65,536 bytes');
  },

  async 'classification'() {
    const outputs = [{ name: 'y', parameters: { classification: 2 } }];
    const { data } = read(await infer('echo', { inputs: [x([1, 9, 3, 4])], outputs })).output('y');
    assert.deepEqual(data, ['9.000000:1', '4.000000:3']);
  },

  async 'repository: index, load, infer, unload'() {
    const state = async () => (await post('/v2/repository/index', {})).json().find((m) => m.name === 'shelf')?.state;
    assert.equal((await post('/v2/repository/models/shelf/load', {})).status, 200);
    assert.equal(await state(), 'READY');
    assert.deepEqual(read(await infer('shelf', { inputs: [x([4, 3, 2, 1])] })).output('y').data, [4, 3, 2, 1]);
    assert.equal((await post('/v2/repository/models/shelf/unload', { parameters: { unload_dependents: false } })).status, 200);
    assert.notEqual(await state(), 'READY');
    assert.ok(!(await post('/v2/repository/index', { ready: true })).json().some((m) => m.name === 'shelf'));
  },

  async 'statistics, configuration, settings'() {
    const [statistics] = (await get('/v2/models/echo/stats')).json().model_stats;
    assert.ok(statistics.inference_count > 0 && statistics.inference_stats.success.ns > 0);
    const config = (await get('/v2/models/echo/config')).json();
    assert.deepEqual([config.name, config.input[0].data_type, config.input[0].dims], ['echo', 'TYPE_FP32', [4]]);
    assert.deepEqual((await post('/v2/models/echo/trace/setting', { trace_rate: '3' })).json().trace_rate, '3');
    assert.equal((await post('/v2/logging', { log_verbose_level: 1 })).json().log_verbose_level, 1);
    refused(await get('/v2/systemsharedmemory/status'), 501, 'shared memory');
  },

  async 'timeout, priority and errors that clients look for'() {
    refused(await infer('nobody', { inputs: [x([1, 2, 3, 4])] }), 404, "Request for unknown model: 'nobody' is not found");
    refused(await infer('echo', { inputs: [x([1, 2, 3])] }), 400, 'x');
    refused(await infer('echo', { inputs: [x([1, 2, 3, 4], { datatype: 'INT32' })] }), 400, 'FP32');
    const late = await infer('slow', { inputs: [x([1, 2, 3, 4])], parameters: { timeout: 200_000, priority: 1 } });
    refused(late, 503, 'slow');
    assert.ok(Number(late.headers['retry-after']) >= 1 && Number(late.headers['retry-after-ms']) > 0);
  },
};

let failed = 0;
for (const [name, run] of Object.entries(scenarios)) {
  try {
    await run();
    console.log(`ok ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}: ${error.stack}`);
  }
}
agent.destroy();
process.exitCode = failed > 0 ? 1 : 0;
