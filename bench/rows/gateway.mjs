// The OpenAI gateway between a client and a canned upstream: CPU of the gateway's process per request and per stream.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { freePort, startChat, startSpillway, stop } from '../lib/processes.mjs';
import { root, rounds, scratch, seconds } from '../lib/settings.mjs';
import { median, spread } from '../lib/stats.mjs';

const body = (stream) =>
  Buffer.from(
    JSON.stringify({
      model: 'chat',
      ...(stream ? { stream: true } : {}),
      max_tokens: 64,
      messages: [
        { role: 'system', content: 'You are a helpful assistant.' },
        { role: 'user', content: 'Say thirty-two words, please, and no more than that.' },
      ],
    }),
  );

/** User and system time of a process with all its threads, in µs. */
function cpuOf(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** So many connections ask one after the other for some seconds. */
export async function closedLoop(url, connections, stream, length, more = {}) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const { hostname, port } = new URL(url);
  const sent = body(stream);
  const times = [];
  const until = performance.now() + length * 1000;
  const ask = () =>
    new Promise((resolve, reject) => {
      const began = performance.now();
      const headers = { 'content-type': 'application/json', 'content-length': sent.length, ...more };
      const request = http.request({ agent, hostname, port, method: 'POST', path: '/v1/chat/completions', headers });
      request.once('error', reject);
      request.once('response', (answer) => {
        let tail = '';
        answer.on('data', (chunk) => (tail = stream ? (tail + chunk.toString('latin1')).slice(-40) : ''));
        answer.once('error', reject);
        answer.once('end', () => {
          if (answer.statusCode !== 200 || (stream && !tail.endsWith('data: [DONE]\n\n')))
            reject(new Error(`status ${answer.statusCode}, ends with ${tail}`));
          times.push(performance.now() - began);
          resolve();
        });
      });
      request.end(sent);
    });
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() < until) await ask();
    }),
  );
  agent.destroy();
  return { count: times.length, p50: median(times) };
}

export const env = (upstream, name) => ({
  SPILLWAY__UPSTREAMS__CANNED__TARGETS__T__URL: `${upstream.url}/v1`,
  SPILLWAY__SERVER__STATEFOLDER: fs.mkdtempSync(path.join(scratch, `state-${name}-`)),
});

/** Rounds of one load against one gateway. */
async function measure(server, connections, stream, tell) {
  await closedLoop(server.url, connections, stream, Math.min(12, seconds * 4));
  const [cpu, rate, p50] = [[], [], []];
  for (let round = 1; round <= rounds; round++) {
    tell(`${server.name}: round ${round} of ${rounds}`);
    const before = cpuOf(server.pid);
    const run = await closedLoop(server.url, connections, stream, seconds);
    cpu.push((cpuOf(server.pid) - before) / run.count);
    rate.push(run.count / seconds);
    p50.push(run.p50);
  }
  return { cpu: spread(cpu), rate: spread(rate), p50: spread(p50) };
}

const check = (what, most, measured, unit) => ({
  what, required: `at most ${most} ${unit}`, measured, unit, ok: measured.median <= most,
});

export const gateway = {
  name: 'gateway',
  work: 'the OpenAI gateway before a canned upstream: whole answers at 16 connections, streams of 34 events at 8',
  async run({ tell }) {
    fs.mkdirSync(scratch, { recursive: true });
    const upstream = await startChat(await freePort());
    const plain = await startSpillway('plain', path.join(root, 'bench/config/gateway'), env(upstream, 'plain'));
    const guarded = await startSpillway('guarded', path.join(root, 'bench/config/gateway-guards'), env(upstream, 'guarded'));
    try {
      const whole = await measure(plain, 16, false, tell);
      const safe = await measure(guarded, 16, false, tell);
      const streams = await measure(plain, 8, true, tell);
      const one = await measure(plain, 1, false, tell);
      const direct = await measure({ ...upstream, name: 'direct' }, 1, false, tell);
      const added = { ...one.p50, median: one.p50.median - direct.p50.median };
      return {
        endpoints: [],
        checks: [
          check('CPU per request, guard rails off', 45, whole.cpu, 'µs'),
          check('CPU per request, with rate limit, budget, ledger and audit log', 60, safe.cpu, 'µs'),
          check('CPU per stream of 34 events', 60, streams.cpu, 'µs'),
          { ...check('added p50 at one connection', 0.15, added, 'ms'), measured: added.median },
        ],
        figures: [
          { what: 'requests a second, guard rails off', measured: whole.rate, unit: '' },
          { what: 'requests a second, with them', measured: safe.rate, unit: '' },
          { what: 'streams a second', measured: streams.rate, unit: '' },
          { what: 'p50 at one connection', measured: one.p50, unit: 'ms' },
          { what: 'p50 at one connection, straight to the upstream', measured: direct.p50, unit: 'ms' },
        ],
        command: 'spillway up bench/config/gateway; a closed loop of Node clients (bench/rows/gateway.mjs)',
        setup: {},
        notes: ['Client, gateway and upstream share the cores; rates are theirs together, the CPU time is the gateway alone.'],
      };
    } finally {
      await stop(plain, guarded, upstream);
    }
  },
};
