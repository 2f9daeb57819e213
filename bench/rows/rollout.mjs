// What a route's chain, checks, rollout and classes cost while nothing goes wrong, and how fast a challenger is gone.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { configOf, content, endpoints, race, stop } from '../lib/closed-loop.mjs';
import { startSpillway } from '../lib/processes.mjs';
import { root, rounds, scratch } from '../lib/settings.mjs';
import { pair, spread } from '../lib/stats.mjs';

const connections = 64;

export const routeOn = {
  name: 'route-on',
  work: `tiny, binary, ${connections} connections, no faults: behind a chain with a check, a canary and classes, against the plain model`,
  async run({ tell }) {
    const folder = path.join(scratch, 'state', 'routed');
    fs.rmSync(folder, { recursive: true, force: true });
    const on = await startSpillway('on', path.join(root, 'bench/config/routed'), { SPILLWAY__SERVER__STATEFOLDER: folder });
    const off = await startSpillway('off', configOf('tiny'));
    try {
      await change(on, 'tiny', 'start', '');
      const result = await race({ servers: [on, off], model: 'tiny', connections, what: content('binary'), tell });
      const more = spread(pair([result.figures.on.cpu, result.figures.off.cpu], (a, b) => a - b));
      return {
        endpoints: endpoints(result),
        checks: [
          { what: 'CPU per request over the plain model', required: 'at most 4 µs', measured: more, unit: 'µs', ok: more.median <= 4 },
        ],
        command: result.command,
        setup: { connections },
        notes: ['The canary gets 5 % of the requests, which run in batches of their own. No cache: it would answer for the model.'],
      };
    } finally {
      await stop(on, off);
    }
  },
};

export const rollback = {
  name: 'rollback',
  work: 'a challenger with half of the requests is promoted, and taken back, while 32 connections ask',
  async run({ tell }) {
    const folder = path.join(scratch, 'state', 'rollback');
    fs.rmSync(folder, { recursive: true, force: true });
    const server = await startSpillway('rollback', path.join(root, 'bench/config/rollback'), { SPILLWAY__SERVER__STATEFOLDER: folder });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
    const gone = [];
    const took = [];
    let [asked, lost, on] = [0, 0, true];
    let answers = [];
    const loops = Array.from({ length: 32 }, async () => {
      while (on) {
        const one = await ask(agent, server.url);
        asked++;
        if (one.status !== 200) lost++;
        answers.push(one);
      }
    });
    try {
      for (let round = 1; round <= Math.max(rounds, 3); round++) {
        tell(`round ${round}`);
        await change(server, 'work', 'start', '');
        await wait(1000);
        await change(server, 'work', 'promote', '');
        await wait(500);
        answers = [];
        const began = performance.now();
        await change(server, 'work', 'rollback', '');
        took.push(performance.now() - began);
        await wait(1500);
        const late = answers.filter((one) => one.step === 'new').map((one) => one.sent);
        if (!answers.some((one) => one.step === 'old')) throw new Error('Nobody was answered by the old one again.');
        gone.push(late.length === 0 ? 0 : Math.max(0, Math.max(...late) - began));
      }
    } finally {
      on = false;
      await Promise.all(loops);
      agent.destroy();
      await stop(server);
    }
    const slowest = spread(gone);
    return {
      endpoints: [],
      checks: [
        { what: 'from the command to the last request that still went to the challenger', required: 'at most 1,000 ms', measured: slowest, unit: 'ms', ok: slowest.max <= 1000 },
        { what: 'requests without an answer', required: '0', measured: lost, unit: '', ok: lost === 0 },
      ],
      figures: [
        { what: 'the command, until it is on the disk', measured: spread(took), unit: 'ms' },
        { what: 'requests', measured: asked, unit: '' },
      ],
      command: 'POST /admin/v1/rollouts/work/rollback beside 32 connections in a closed loop',
      setup: { connections: 32 },
      notes: ['The time of a request is when it was sent; what was under way ends where it began.'],
    };
  },
};

async function change(server, route, verb, query) {
  const reply = await fetch(`${server.url}/admin/v1/rollouts/${route}/${verb}${query}`, { method: 'POST' });
  if (!reply.ok) throw new Error(`${verb} of ${route}: ${reply.status} ${await reply.text()}`);
  await reply.arrayBuffer();
}

const question = Buffer.from(JSON.stringify({ inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] }] }));

function ask(agent, url) {
  const { hostname, port } = new URL(url);
  const sent = performance.now();
  return new Promise((resolve) => {
    const request = http.request(
      { agent, hostname, port, method: 'POST', path: '/v2/models/work/infer', headers: { 'content-length': question.length } },
      (answer) => answer.resume().once('end', () => resolve({ sent, status: answer.statusCode, step: answer.headers['x-spillway-step'] })),
    );
    request.once('error', () => resolve({ sent, status: 0 }));
    request.end(question);
  });
}
