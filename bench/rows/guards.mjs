// Limits that must hold on a real process: a budget under kill -9, the kill switch under full load, a flooding tenant.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { asker } from '../lib/asker.mjs';
import { stop } from '../lib/closed-loop.mjs';
import { runSpillway, startSpillway } from '../lib/processes.mjs';
import { longSeconds, root, rounds, scratch } from '../lib/settings.mjs';
import { spread } from '../lib/stats.mjs';

const requests = 10_000;
const afforded = 1_000;
/** Below server.connectionsMax; the others wait in the client. */
const connections = 400;
const kills = 3;
const budgetRuns = Math.min(3, rounds);

/** A fresh state folder for a row; the servers of the row share it. */
function stateFolder(name) {
  const folder = path.join(scratch, 'state', name);
  fs.rmSync(folder, { recursive: true, force: true });
  return { SPILLWAY__SERVER__STATEFOLDER: folder };
}

export const budgetKill = {
  name: 'budget-kill',
  work: `${requests} requests against a budget for ${afforded}, ${kills} times kill -9, faults and cancels`,
  async run({ tell }) {
    const runs = [];
    for (let run = 1; run <= budgetRuns; run++) {
      tell(`run ${run} of ${budgetRuns}`);
      runs.push(await spend(run));
    }
    const over = runs.map((r) => Math.max(0, r.answered - afforded));
    const reserved = runs.map((r) => Number(r.budget.reserved));
    return {
      endpoints: [],
      checks: [
        {
          what: `answers over the budget, worst of ${budgetRuns} runs`,
          required: '0',
          measured: Math.max(...over),
          unit: '',
          ok: Math.max(...over) === 0,
        },
        {
          what: 'reserved when idle, worst',
          required: '0',
          measured: Math.max(...reserved),
          unit: 'units',
          ok: Math.max(...reserved) === 0,
        },
      ],
      figures: [
        { what: 'answers', measured: spread(runs.map((r) => r.answered)), unit: `of ${afforded}` },
        { what: 'lost to crashes (shown by the server)', measured: runs.map((r) => r.budget.lost).join(', '), unit: 'units of 1' },
        { what: 'refused for the budget', measured: spread(runs.map((r) => r.refused)), unit: 'requests' },
      ],
      command: 'spillway up bench/config/guards; kill -9 of its process; spillway up again',
      setup: { requests, afforded, connections, kills },
      notes: ['Counted by the client: an answer that arrived is an answer. What a crash cut off counts as nothing here.'],
    };
  },
};

/** One run: a flood, kills in the middle of it, and what came out. */
async function spend(run) {
  const env = stateFolder(`budget-${run}`);
  const config = path.join(root, 'bench/config/guards');
  let server = await startSpillway('budget', config, env);
  let client = asker(server.url, connections);
  const counts = { answered: 0, refused: 0, failed: 0 };
  let left = requests;
  const count = ({ status, text }) => {
    if (status === 200) counts.answered++;
    else if (status === 429 && /budget/i.test(text)) counts.refused++;
    else counts.failed++;
  };
  try {
    for (let life = 0; life <= kills; life++) {
      const portion = life === kills ? left : Math.ceil(requests / (kills + 1));
      left -= portion;
      // One in ten leaves early.
      const asked = Array.from({ length: portion }, (_, i) =>
        client.infer('priced', i % 10 === 0 ? 1 + (i % 97) : 0).then(count),
      );
      if (life < kills) {
        // While money is being spent: the first fifth of a second.
        await wait(60 + 40 * life + 10 * run);
        server.child.kill('SIGKILL');
        await Promise.all(asked);
        client.close();
        server = await startSpillway('budget', config, env);
        client = asker(server.url, connections);
      } else {
        await Promise.all(asked);
      }
    }
    // Money that the last failed requests gave back is spent too.
    for (let more = 0; more < 2 * afforded; more++) {
      const answer = await client.infer('priced');
      count(answer);
      if (answer.status === 429) break;
    }
    await wait(200);
    const [budget] = JSON.parse((await client.get('/admin/v1/budgets')).text).budgets;
    return { ...counts, budget };
  } finally {
    client.close();
    await stop(server);
  }
}

const flips = 100;

export const killSwitch = {
  name: 'kill-switch',
  work: `kill switch under full load, ${flips} times: from the command until no new request is answered`,
  async run({ tell }) {
    const server = await startSpillway('switch', path.join(root, 'bench/config/guards'), {
      ...stateFolder('switch'),
      SPILLWAY__BUDGETS__THOUSAND__LIMIT: '1000000',
      SPILLWAY__MODELS__PRICED__SIMULATED__FAULTRATE: '0',
    });
    const [flood, operator] = [asker(server.url, 64), asker(server.url, 2)];
    const answers = [];
    let on = true;
    const callers = Array.from({ length: 64 }, async () => {
      while (on) {
        const answer = await flood.infer('priced');
        if (answer.status === 200) answers.push(answer.sent);
      }
    });
    const effects = [];
    const answered = [];
    try {
      await wait(2000);
      for (let flip = 1; flip <= flips; flip++) {
        tell(`flip ${flip} of ${flips}`);
        answers.length = 0;
        const ordered = await operator.post('/admin/v1/switches/off');
        if (ordered.status !== 200) throw new Error(`switch off: ${ordered.text}`);
        await wait(150);
        // The last request that was sent after the order and answered all the same.
        effects.push(Math.max(0, ...answers.map((sent) => sent - ordered.sent)));
        answered.push(ordered.ended - ordered.sent);
        await operator.post('/admin/v1/switches/on');
        await wait(100 + (flip % 7) * 10);
      }
    } finally {
      on = false;
      await Promise.all(callers);
      flood.close();
      operator.close();
      await stop(server);
    }
    const p99 = effects.toSorted((a, b) => a - b)[Math.ceil(0.99 * flips) - 1];
    return {
      endpoints: [],
      checks: [
        { what: 'p99 from the command to its effect', required: 'at most 50 ms', measured: p99, unit: 'ms', ok: p99 <= 50 },
      ],
      figures: [
        { what: 'to its effect', measured: spread(effects), unit: 'ms' },
        { what: 'the command, until it is on the disk', measured: spread(answered), unit: 'ms' },
      ],
      command: 'POST /admin/v1/switches/off beside 64 connections without a pause',
      setup: { flips, connections: 64 },
      notes: ['Times are the client’s, which shares the cores with the server; they include the command’s way to it.'],
    };
  },
};

const capacity = 200;
const floodShare = 10;
const politeShare = 0.45;

export const fairShares = {
  name: 'fair-shares',
  work: `a tenant at ${floodShare}x capacity beside one at ${politeShare} of it, one model`,
  async run({ tell }) {
    const env = stateFolder('fair');
    const config = path.join(root, 'bench/config/fair');
    const keys = {};
    for (const tenant of ['flood', 'polite']) {
      const made = await runSpillway(['keys', 'create', '--config', config, '--tenant', tenant, '--json'], env);
      keys[tenant] = JSON.parse(made).key;
    }
    const parts = { on: [], off: [] };
    for (const [name, more] of [['on', {}], ['off', { SPILLWAY__LIMITS__FAIRSHARES: 'false' }]]) {
      const server = await startSpillway(`fair-${name}`, config, { ...env, ...more });
      try {
        for (let round = 1; round <= Math.min(3, rounds); round++) {
          tell(`fair shares ${name}, round ${round}`);
          parts[name].push(await beside(server, keys));
        }
      } finally {
        await stop(server);
      }
    }
    const kept = spread(parts.on.map((p) => p.polite * 100));
    return {
      endpoints: [],
      checks: [
        {
          what: 'the polite tenant is answered in time beside the flood',
          required: 'at least 95 %',
          measured: kept,
          unit: '%',
          ok: kept.median >= 95,
        },
      ],
      figures: [
        { what: 'the same without fair shares', measured: spread(parts.off.map((p) => p.polite * 100)), unit: '%' },
        { what: 'answers to the flood', measured: spread(parts.on.map((p) => p.flood)), unit: '/s' },
        { what: 'answers to the polite one', measured: spread(parts.on.map((p) => p.answers)), unit: '/s' },
      ],
      command: 'spillway up bench/config/fair',
      setup: { capacity, flood_per_second: capacity * floodShare, polite_per_second: capacity * politeShare },
      notes: ['Capacity is the simulated model’s: 5 ms a request, one at a time.'],
    };
  },
};

/** Both at once, open loop at even distances; what each got. */
async function beside(server, keys) {
  const seconds = Math.max(2, longSeconds / 6);
  const [flood, polite] = [asker(server.url, 400, keys.flood), asker(server.url, 64, keys.polite)];
  const [many, few] = await Promise.all([
    pace(flood, capacity * floodShare, seconds + 2),
    wait(1000).then(() => pace(polite, capacity * politeShare, seconds)),
  ]);
  flood.close();
  polite.close();
  const ok = (all) => all.filter((a) => a.status === 200).length;
  return { flood: ok(many) / (seconds + 2), answers: ok(few) / seconds, polite: ok(few) / few.length };
}

async function pace(client, perSecond, seconds) {
  const [asked, began] = [[], performance.now()];
  for (;;) {
    const due = Math.floor(((performance.now() - began) / 1000) * perSecond);
    while (asked.length < Math.min(due, perSecond * seconds)) asked.push(client.infer('slow'));
    if (asked.length >= perSecond * seconds) return Promise.all(asked);
    await wait(2);
  }
}
