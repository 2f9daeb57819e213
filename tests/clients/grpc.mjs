// The gRPC door as a client sees it that knows nothing of Spillway but the .proto files: grpc-js against a running
// server. Usage: node grpc.mjs <host:port> <repository>. The server has the models echo, slow, words and mixed of
// GrpcServer and the folder of a repository under explicit control with the model shelf, and takes bodies of up to 65536 bytes. One line a scenario, "ok <name>" or "FAILED <name>: <why>"; exit code 1 after any
// failure.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const [address, models] = process.argv.slice(2);
const PATIENCE = 60_000;
const protos = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../src/Spillway/Protocols/Grpc');
const load = (file) =>
  grpc.loadPackageDefinition(
    loader.loadSync(path.join(protos, file), { keepCase: true, longs: Number, enums: String, oneofs: true, defaults: true }),
  );
const { inference } = load('inference.proto');
const { health } = load('health.proto').grpc;
const plain = grpc.credentials.createInsecure();
const client = new inference.GRPCInferenceService(address, plain);
const gzipped = new inference.GRPCInferenceService(address, plain, {
  'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip,
});
const doctor = new health.v1.Health(address, plain);

/** A unary call as a promise of { answer, trailers, headers }; rejects with the status. */
const ask = (method, request, { on = client, options = {}, metadata = new grpc.Metadata() } = {}) =>
  new Promise((resolve, reject) => {
    let headers, answer, trailers;
    const call = on[method](request, metadata, options, (error, value) => (error ? reject(error) : (answer = value)));
    call.on('metadata', (value) => (headers = value.getMap()));
    call.on('status', (status) => {
      trailers = status.metadata.getMap();
      if (status.code === 0) resolve({ answer, headers, trailers });
    });
  });

const floats = (values) => Buffer.from(Float32Array.from(values).buffer);
const numbers = (buffer) => [...new Float32Array(Uint8Array.from(buffer).buffer)];
const row = (values, more = {}) => ({
  model_name: 'echo',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4] }],
  raw_input_contents: [floats(values)],
  ...more,
});
const refused = (promise, code, ...says) =>
  assert.rejects(promise, (error) => {
    assert.equal(error.code, code, `${error.code} ${error.details}`);
    for (const words of says) assert.ok(error.details.includes(words), error.details);
    return true;
  });

const scenarios = {
  async 'live, ready and metadata'() {
    assert.equal((await ask('ServerLive', {})).answer.live, true);
    assert.equal((await ask('ServerReady', {})).answer.ready, true);
    assert.equal((await ask('ModelReady', { name: 'echo' })).answer.ready, true);
    assert.equal((await ask('ModelReady', { name: 'nobody' })).answer.ready, false);
    const server = (await ask('ServerMetadata', {})).answer;
    assert.equal(server.name, 'spillway');
    assert.ok(server.extensions.includes('schedule_policy'));
    const model = (await ask('ModelMetadata', { name: 'echo' })).answer;
    assert.deepEqual(model.versions, ['1']);
    assert.deepEqual(model.inputs, [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }]);
    assert.equal(model.properties.simulated, 'true');
    const { models } = (await ask('RepositoryIndex', { ready: true })).answer;
    assert.deepEqual(models.find((m) => m.name === 'echo'), { name: 'echo', version: '1', state: 'READY', reason: '' });
  },

  async 'raw tensors there and back'() {
    const { answer, headers } = await ask('ModelInfer', row([1, -2, 3.5, 4], { id: 'mine' }));
    assert.equal(answer.id, 'mine');
    assert.equal(answer.model_name, 'echo');
    assert.equal(answer.parameters.simulated.bool_param, true);
    assert.equal(answer.outputs.length, 1);
    assert.deepEqual([answer.outputs[0].name, answer.outputs[0].datatype, answer.outputs[0].shape], ['y', 'FP32', [1, 4]]);
    assert.deepEqual(numbers(answer.raw_output_contents[0]), [1, -2, 3.5, 4]);
    assert.ok(headers['x-request-id'] && headers['server-timing'].includes('execute;dur='));
  },

  async 'typed contents'() {
    const typed = { name: 'x', datatype: 'FP32', shape: [1, 4], contents: { fp32_contents: [1, 2, 3, 4] } };
    const { answer } = await ask('ModelInfer', { model_name: 'echo', inputs: [typed] });
    assert.deepEqual(numbers(answer.raw_output_contents[0]), [1, 2, 3, 4]);
    const mixed = {
      model_name: 'mixed',
      inputs: [
        { name: 'i', datatype: 'INT8', shape: [1, 4], contents: { int_contents: [-128, -1, 0, 127] } },
        { name: 'b', datatype: 'BOOL', shape: [1, 2], contents: { bool_contents: [true, false] } },
        { name: 's', datatype: 'BYTES', shape: [1], contents: { bytes_contents: [Buffer.from('wörter')] } },
      ],
      outputs: [{ name: 'o' }],
    };
    const bytes = (await ask('ModelInfer', mixed)).answer.raw_output_contents[0];
    assert.deepEqual([...new Int8Array(Uint8Array.from(bytes).buffer)], [-128, -1, 0, 127]);
  },

  async 'compressed requests'() {
    const { answer } = await ask('ModelInfer', row([5, 6, 7, 8]), { on: gzipped });
    assert.deepEqual(numbers(answer.raw_output_contents[0]), [5, 6, 7, 8]);
  },

  async 'errors have the statuses that clients know'() {
    await refused(ask('ModelInfer', row([1, 2, 3, 4], { model_name: 'nobody' })), 5, 'Request for unknown model');
    await refused(ask('ModelMetadata', { name: 'echo', version: '9' }), 5, 'version 9');
    const short = row([1, 2, 3], { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3] }] });
    await refused(ask('ModelInfer', short), 3, "unexpected shape for input 'x' for model 'echo'. Expected [-1,4], got [1,3].");
    await refused(ask('ModelInfer', row([1, 2, 3])), 3, 'input byte size mismatch');
    await refused(ask('SystemSharedMemoryStatus', {}), 12, 'SystemSharedMemoryStatus');
    await refused(ask('RepositoryModelLoad', { model_name: 'nobody' }), 5, "failed to load 'nobody'");
    const big = row(new Array(25_000).fill(0), { inputs: [{ name: 'x', datatype: 'FP32', shape: [6250, 4] }] });
    await refused(ask('ModelInfer', big), 8, '65,536', 'server.bodyBytesMax');
  },

  async 'models are loaded, uploaded and unloaded'() {
    await ask('RepositoryModelLoad', { model_name: 'shelf' });
    const file = { bytes_param: fs.readFileSync(path.join(models, 'shelf/1/model.onnx')) };
    const parameters = { config: { string_param: '{}' }, 'file:2/model.onnx': file };
    await ask('RepositoryModelLoad', { model_name: 'fresh', parameters });
    for (const [name, version] of [['shelf', '1'], ['fresh', '2']]) {
      const { answer } = await ask('ModelInfer', row([1, 2, 3, 4], { model_name: name }));
      assert.deepEqual([answer.model_version, numbers(answer.raw_output_contents[0])], [version, [1, 2, 3, 4]]);
      await ask('RepositoryModelUnload', { model_name: name });
      await refused(ask('ModelInfer', row([1, 2, 3, 4], { model_name: name })), 5, 'Request for unknown model');
    }
  },

  async 'configuration, statistics, settings and classes'() {
    const { config } = (await ask('ModelConfig', { name: 'echo' })).answer;
    assert.deepEqual([config.name, config.backend, config.input[0].data_type], ['echo', 'simulated', 'TYPE_FP32']);
    assert.deepEqual(config.input[0].dims, [4]);
    const { model_stats } = (await ask('ModelStatistics', { name: 'echo' })).answer;
    assert.ok(model_stats[0].inference_count > 0 && model_stats[0].inference_stats.success.ns > 0);
    const { settings } = (await ask('TraceSetting', { settings: { trace_rate: { value: ['3'] } }, model_name: 'echo' })).answer;
    assert.deepEqual(settings.trace_rate.value, ['3']);
    const log = (await ask('LogSettings', { settings: { log_verbose_level: { uint32_param: 1 } } })).answer.settings;
    assert.equal(log.log_verbose_level.uint32_param, 1);
    const outputs = [{ name: 'y', parameters: { classification: { int64_param: 1 } } }];
    const best = (await ask('ModelInfer', row([1, 9, 3, 4], { outputs }))).answer;
    assert.equal(best.outputs[0].datatype, 'BYTES');
    assert.equal(best.raw_output_contents[0].subarray(4).toString(), '9.000000:1');
  },

  async 'a deadline passes'() {
    const slow = row([1, 2, 3, 4], { model_name: 'slow' });
    await refused(ask('ModelInfer', slow, { options: { deadline: Date.now() + 300 } }), 4);
    // The caller knows before the server has stopped the run, and is told so as long as it lasts.
    const again = () => ask('ModelInfer', { ...slow, parameters: { timeout: { int64_param: 200_000 } } });
    let told = await again().catch((error) => error);
    for (const until = Date.now() + PATIENCE; told.code === 14 && Date.now() < until;)
      told = await again().catch((error) => error);
    await refused(Promise.reject(told), 4, 'slow');
  },

  async 'a call is cancelled'() {
    const cancelled = () =>
      new Promise((resolve) => {
        const call = client.ModelInfer(row([1, 2, 3, 4], { model_name: 'slow' }), resolve);
        setTimeout(() => call.cancel(), 100);
      });
    // The run before it may not have been stopped yet, behind which nobody could be in time.
    let told = await cancelled();
    for (const until = Date.now() + PATIENCE; told?.code === 14 && Date.now() < until;) told = await cancelled();
    assert.equal(told?.code, 1);
  },

  async 'a stream answers a hundred requests, and errors in its midst'() {
    const stream = client.ModelStreamInfer();
    const answers = new Map();
    const ended = new Promise((resolve, reject) => {
      stream.on('data', (answer) => answers.set(answer.infer_response.id, answer));
      stream.on('error', reject);
      stream.on('end', resolve);
    });
    for (let i = 0; i < 100; i++) {
      const more = { id: String(i), parameters: { triton_enable_empty_final_response: { bool_param: true } } };
      stream.write(i === 50 ? row([1], more) : row([i, i + 1, i + 2, i + 3], more));
    }
    stream.end();
    await ended;
    assert.equal(answers.size, 100);
    for (const [id, { error_message, infer_response }] of answers) {
      assert.equal(infer_response.parameters.triton_final_response.bool_param, true);
      if (id === '50') {
        assert.match(error_message, /byte size mismatch/);
        assert.equal(infer_response.parameters.fault.string_param, 'invalid_input');
      } else {
        assert.equal(error_message, '');
        assert.equal(numbers(infer_response.raw_output_contents[0])[0], Number(id));
      }
    }
  },

  async 'health of the server and of a model'() {
    for (const service of ['', 'inference.GRPCInferenceService', 'echo'])
      assert.equal((await ask('Check', { service }, { on: doctor })).answer.status, 'SERVING');
    await refused(ask('Check', { service: 'nobody' }, { on: doctor }), 5, 'nobody');
    const watch = doctor.Watch({ service: 'echo' });
    const first = await new Promise((resolve, reject) => watch.once('data', resolve).once('error', reject));
    assert.equal(first.status, 'SERVING');
    watch.on('error', () => {});
    watch.cancel();
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
for (const one of [client, gzipped, doctor]) one.close();
process.exitCode = failed > 0 ? 1 : 0;
