// gRPC against REST, the same binary request of the tiny model, at one rate, from one client: the server's CPU.
import http2 from 'node:http2';
import net from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { cpuSeconds } from '../lib/machine.mjs';
import { freePort, startSpillway } from '../lib/processes.mjs';
import { configOf, stop } from '../lib/closed-loop.mjs';
import { rounds, seconds } from '../lib/settings.mjs';
import { pair, spread } from '../lib/stats.mjs';

const connections = 64;
const shape = [1, 784];

/** Protocol Buffers: a field of bytes. */
function bytes(field, content) {
  const body = Buffer.isBuffer(content) ? content : Buffer.from(content);
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
}

function varint(value) {
  const out = [];
  for (; value > 127; value = Math.floor(value / 128)) out.push((value % 128) | 128);
  return Buffer.from([...out, value]);
}

function grpcFrame(model, data) {
  const input = Buffer.concat([bytes(1, 'x'), bytes(2, 'FP32'), bytes(3, Buffer.concat(shape.map(varint)))]);
  const message = Buffer.concat([bytes(1, model), bytes(5, input), bytes(7, data)]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function restRequest(model, data) {
  const head = JSON.stringify({
    parameters: { binary_data_output: true },
    inputs: [{ name: 'x', shape, datatype: 'FP32', parameters: { binary_data_size: data.length } }],
  });
  return Buffer.concat([
    Buffer.from(
      `POST /v2/models/${model}/infer HTTP/1.1\r\nHost: 127.0.0.1\r\nInference-Header-Content-Length: ${head.length}\r\n` +
        `Content-Length: ${head.length + data.length}\r\n\r\n${head}`,
    ),
    data,
  ]);
}

/** A connection that answers one request at a time: ask(done). */
function restConnection(port, request) {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  let [text, done] = ['', null];
  socket.setEncoding('latin1');
  socket.on('data', (chunk) => {
    text += chunk;
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
    if (text.length < end + 4 + length) return;
    if (!text.startsWith('HTTP/1.1 200')) throw new Error(text.slice(0, 400));
    text = '';
    done();
  });
  return { ask: (then) => ((done = then), socket.write(request)), close: () => socket.destroy() };
}

function grpcConnection(port, frame) {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const headers = {
    ':method': 'POST',
    ':path': '/inference.GRPCInferenceService/ModelInfer',
    'content-type': 'application/grpc',
    te: 'trailers',
  };
  return {
    ask: (then) => {
      const stream = session.request(headers);
      stream.on('trailers', (trailers) => {
        if (trailers['grpc-status'] !== '0') throw new Error(`gRPC status ${trailers['grpc-status']}: ${trailers['grpc-message']}`);
      });
      stream.on('data', () => {});
      stream.on('end', then);
      stream.end(frame);
    },
    close: () => session.destroy(),
  };
}

/** Asks at a fixed rate, in turns over idle connections; the number of answers. */
async function pace(pool, perSecond, lengthSeconds) {
  const idle = [...pool];
  let [answered, asked, busy] = [0, 0, 0];
  const began = performance.now();
  for (;;) {
    const elapsed = (performance.now() - began) / 1000;
    if (elapsed >= lengthSeconds) break;
    for (; asked < elapsed * perSecond && idle.length > 0; asked++) {
      const connection = idle.shift();
      busy++;
      connection.ask(() => {
        answered++;
        busy--;
        idle.push(connection);
      });
    }
    await wait(1);
  }
  while (busy > 0) await wait(1);
  return answered;
}

async function round(server, pool, perSecond) {
  const before = cpuSeconds(server.pid);
  const answered = await pace(pool, perSecond, seconds);
  return { cpu: ((cpuSeconds(server.pid) - before) * 1e6) / answered, rate: answered / seconds };
}

export const grpc = {
  name: 'grpc',
  work: `gRPC against REST, tiny model, binary, ${connections} connections`,
  async run({ tell }) {
    const grpcPort = await freePort();
    const server = await startSpillway('grpc', configOf('tiny'), { SPILLWAY__SERVER__GRPCPORT: String(grpcPort) });
    const data = Buffer.alloc(shape.reduce((product, dim) => product * dim, 4));
    const many = (make) => Array.from({ length: connections }, make);
    const pools = {
      rest: many(() => restConnection(server.port, restRequest('tiny', data))),
      grpc: many(() => grpcConnection(grpcPort, grpcFrame('tiny', data))),
    };
    const figures = { rest: { cpu: [], rate: [] }, grpc: { cpu: [], rate: [] } };
    const perSecond = 3000;
    try {
      for (const pool of Object.values(pools)) await pace(pool, perSecond, seconds * 2);
      for (let n = 1; n <= rounds; n++) {
        tell(`round ${n} of ${rounds}`);
        for (const kind of n % 2 ? ['rest', 'grpc'] : ['grpc', 'rest']) {
          const { cpu, rate } = await round(server, pools[kind], perSecond);
          figures[kind].cpu.push(cpu);
          figures[kind].rate.push(rate);
        }
      }
      const measured = spread(pair([figures.grpc.cpu, figures.rest.cpu], (g, r) => g / r));
      return {
        endpoints: ['rest', 'grpc'].map((name) => ({ name, rate: spread(figures[name].rate), cpu_us: spread(figures[name].cpu) })),
        checks: [{ what: 'CPU per request over REST', required: 'at most 1.5x', measured, unit: 'x', ok: measured.median <= 1.5 }],
        figures: [],
        command: 'bench/run grpc',
        setup: { connections, asked_per_second: perSecond },
        notes: ['One Node.js client for both, with requests made before: raw HTTP/1.1 over sockets, and its own HTTP/2. Both are asked at one rate, so that neither gains from larger batches of work.'],
      };
    } finally {
      for (const pool of Object.values(pools)) for (const connection of pool) connection.close();
      await stop(server);
    }
  },
};
