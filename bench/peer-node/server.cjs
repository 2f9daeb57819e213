'use strict';
// The peer: a Node HTTP server over onnxruntime-node, as a competent team writes it in an afternoon. One worker process
// per core (node:cluster), one thread a run, JSON.parse and Float32Array, Open Inference JSON or binary bodies.
//   node server.cjs --port 9000 --model mlp=mlp.onnx [--workers N]
// Listens on 127.0.0.1 only. SIGTERM or Ctrl-C ends it and its workers.
process.env.ORT_DISABLE_TELEMETRY = '1';
const cluster = require('node:cluster');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');

const HEADER_LENGTH = 'inference-header-content-length';
const TYPES = { float32: ['FP32', Float32Array], int32: ['INT32', Int32Array] };

function option(name, otherwise) {
  const at = process.argv.indexOf(name);
  return at >= 0 ? process.argv[at + 1] : otherwise;
}

const port = Number(option('--port', '9000'));
const [modelName, modelFile] = option('--model', '').split('=');
const workers = Number(option('--workers', String(os.availableParallelism())));
if (!modelFile) {
  console.error('usage: node server.cjs --port P --model name=file.onnx [--workers N]');
  process.exit(2);
}

if (cluster.isPrimary) lead();
else
  serve().catch((error) => {
    console.error(error);
    process.exit(1);
  });

function lead() {
  let ready = 0;
  let stopping = false;
  const stop = () => {
    stopping = true;
    for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGTERM');
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  cluster.on('listening', () => {
    if (++ready === workers) console.log(`Ready: ${modelName} on http://127.0.0.1:${port}, ${workers} workers`);
  });
  cluster.on('exit', (worker, code) => {
    if (stopping) return;
    console.error(`a worker ended with ${code}`);
    process.exit(1);
  });
  for (let i = 0; i < workers; i++) cluster.fork();
}

async function serve() {
  process.on('disconnect', () => process.exit(0));
  const native = path.join(__dirname, '..', '..', 'native');
  const ort = require(require.resolve('onnxruntime-node', { paths: [native] }));
  const session = await ort.InferenceSession.create(modelFile, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
  });
  const model = { ort, session, metadata: describe(session) };
  const server = http.createServer((request, response) => handle(model, request, response));
  server.keepAliveTimeout = 120_000;
  server.listen(port, '127.0.0.1');
}

function describe(session) {
  const port_ = (meta) => ({
    name: meta.name,
    datatype: TYPES[meta.type][0],
    shape: meta.shape.map((dim) => (typeof dim === 'number' ? dim : -1)),
  });
  return JSON.stringify({
    name: modelName,
    versions: ['1'],
    platform: 'onnxruntime_onnx',
    inputs: session.inputMetadata.map(port_),
    outputs: session.outputMetadata.map(port_),
  });
}

function handle(model, request, response) {
  if (request.method === 'GET') {
    if (request.url === `/v2/models/${modelName}`) return answer(response, 200, model.metadata);
    if (request.url.startsWith('/v2/health/')) return answer(response, 200, '{}');
    return answer(response, 404, '{"error":"Not Found"}');
  }
  if (request.url !== `/v2/models/${modelName}/infer`) return answer(response, 404, '{"error":"Not Found"}');
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    infer(model, body, request.headers[HEADER_LENGTH], response).catch((error) =>
      answer(response, 400, JSON.stringify({ error: error.message })),
    );
  });
}

async function infer(model, body, headerLength, response) {
  const binary = headerLength !== undefined;
  const split = binary ? Number(headerLength) : body.length;
  const asked = JSON.parse(body.toString('utf8', 0, split));
  const feeds = {};
  let at = split;
  for (const input of asked.inputs) {
    let data;
    if (binary && input.parameters?.binary_data_size !== undefined) {
      const bytes = input.parameters.binary_data_size;
      // A copy, because the view of a typed array must be aligned and the body is not.
      data = new Float32Array(body.buffer.slice(body.byteOffset + at, body.byteOffset + at + bytes));
      at += bytes;
    } else {
      data = Float32Array.from(input.data);
    }
    feeds[input.name] = new model.ort.Tensor('float32', data, input.shape);
  }
  const results = await model.session.run(feeds);
  if (asked.parameters?.binary_data_output) return answerBinary(response, results);
  const outputs = Object.entries(results).map(([name, tensor]) => ({
    name,
    datatype: TYPES[tensor.type][0],
    shape: tensor.dims,
    data: Array.from(tensor.data),
  }));
  answer(response, 200, JSON.stringify({ model_name: modelName, model_version: '1', outputs }));
}

function answerBinary(response, results) {
  const tails = [];
  const outputs = Object.entries(results).map(([name, tensor]) => {
    const bytes = Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
    tails.push(bytes);
    return {
      name,
      datatype: TYPES[tensor.type][0],
      shape: tensor.dims,
      parameters: { binary_data_size: bytes.length },
    };
  });
  const head = Buffer.from(JSON.stringify({ model_name: modelName, model_version: '1', outputs }));
  const body = Buffer.concat([head, ...tails]);
  response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': body.length,
    'Inference-Header-Content-Length': head.length,
  });
  response.end(body);
}

function answer(response, status, text) {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
