// Many streams through the gateway: money that is never overspent, memory that stays, upstreams that are let go.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ask, chats } from '../lib/chat-client.mjs';
import { residentMib } from '../lib/machine.mjs';
import { freePort, startPaced, startSpillway, stop } from '../lib/processes.mjs';
import { longSeconds, root, rounds, scratch, trial } from '../lib/settings.mjs';
import { median, spread } from '../lib/stats.mjs';

const tokens = 32;
const afforded = 1_000;
const askers = trial ? 2_000 : 10_000;
const budgetRuns = Math.min(3, rounds);

/** An upstream and a gateway before it, with a state of their own. */
async function pairOf(name, config, upstream) {
  const paced = await startPaced(await freePort(), upstream);
  const folder = path.join(scratch, 'state', name);
  fs.rmSync(folder, { recursive: true, force: true });
  const gateway = await startSpillway(name, path.join(root, 'bench/config', config), {
    SPILLWAY__UPSTREAMS__PACED__TARGETS__T__URL: `${paced.url}/v1`,
    SPILLWAY__SERVER__STATEFOLDER: folder,
  });
  return { paced, gateway };
}

const budgetOf = async (gateway) => (await ask(`${gateway.url}/admin/v1/budgets`)).budgets[0];

/** Waits until nothing is reserved and the upstream has no stream open; what was found at last. */
async function settled({ gateway, paced }) {
  for (let i = 0; ; i++) {
    const [budget, upstream] = [await budgetOf(gateway), await ask(`${paced.url}/stats`)];
    if ((Number(budget.reserved) === 0 && upstream.open === 0) || i === 50) return { budget, upstream };
    await wait(100);
  }
}

export const budgetStreams = {
  name: 'budget-streams',
  work: `a budget for ${afforded} answers, ${askers} streams at once, one in ten upstream faults, one in ten callers leaves`,
  async run({ tell }) {
    const runs = [];
    for (let run = 1; run <= budgetRuns; run++) {
      tell(`run ${run} of ${budgetRuns}`);
      runs.push(await spend());
    }
    const limit = afforded * tokens;
    const worst = Math.max(...runs.map((r) => r.words));
    const claimed = Math.max(...runs.map((r) => r.most));
    const reserved = Math.max(...runs.map((r) => Number(r.budget.reserved)));
    return {
      endpoints: [],
      checks: [
        {
          what: `tokens that reached callers beyond the budget's, worst of ${budgetRuns} runs`,
          required: '0', measured: Math.max(0, worst - limit), unit: 'tokens', ok: worst <= limit,
        },
        {
          what: 'spent and reserved together, worst moment', required: 'at most 1 unit', measured: claimed, unit: 'units',
          ok: claimed <= 1,
        },
        { what: 'reserved when idle, worst', required: '0', measured: reserved, unit: 'units', ok: reserved === 0 },
        {
          what: 'streams that the upstream still has open', required: '0',
          measured: Math.max(...runs.map((r) => r.upstream.open)), unit: '',
          ok: runs.every((r) => r.upstream.open === 0),
        },
      ],
      figures: [
        { what: 'whole answers', measured: spread(runs.map((r) => r.whole)), unit: `of ${afforded}` },
        { what: 'broke off, or their callers left', measured: spread(runs.map((r) => r.partial)), unit: 'streams' },
        { what: 'refused for the budget', measured: spread(runs.map((r) => r.refused)), unit: 'requests' },
        { what: 'tokens that reached callers', measured: spread(runs.map((r) => r.words)), unit: `of ${limit}` },
        { what: 'spent by the server’s account', measured: runs.map((r) => r.budget.spent).join(', '), unit: 'units' },
      ],
      command: 'spillway up bench/config/gateway-budget; node bench/peer-node/streams.cjs --fault-share 0.1',
      setup: { askers, afforded, tokens_of_an_answer: tokens },
      notes: ['Tokens are counted by the callers: every event with content that arrived.'],
    };
  },
};

async function spend() {
  const both = await pairOf('budget-streams', 'gateway-budget', { events: tokens, gapMs: 20, faultShare: 0.1 });
  const client = chats(both.gateway.url, askers);
  const sums = { whole: 0, partial: 0, refused: 0, failed: 0, words: 0, most: 0 };
  let watching = true;
  const watch = (async () => {
    while (watching) {
      // There is no account before the first request.
      const { spent, reserved } = (await budgetOf(both.gateway)) ?? { spent: 0, reserved: 0 };
      sums.most = Math.max(sums.most, Math.round((Number(spent) + Number(reserved)) * 1e9) / 1e9);
      await wait(50);
    }
  })();
  const take = (seen) => {
    sums.words += seen.words;
    if (seen.status === 429) sums.refused++;
    else if (seen.isWhole) sums.whole++;
    else if (seen.words > 0) sums.partial++;
    else sums.failed++;
    return seen;
  };
  try {
    await Promise.all(
      Array.from({ length: askers }, (_, i) => client.stream(i % 10 === 0 ? i % tokens : -1).then(take)),
    );
    // What the last ones gave back is spent too, until nothing is left for one more.
    for (let more = 0, refused = 0; more < 20 && refused < 64; more++) {
      const seen = await Promise.all(Array.from({ length: 64 }, () => client.stream().then(take)));
      refused = seen.filter((s) => s.status === 429).length;
    }
    const end = await settled(both);
    return { ...sums, ...end };
  } finally {
    watching = false;
    await watch.catch(() => {});
    client.close();
    await stop(both.gateway, both.paced);
  }
}

const total = trial ? 10_000 : 100_000;
const connections = 256;

export const streams = {
  name: 'streams',
  work: `${total} streams at ${connections} connections, half of them left at a random word`,
  async run({ tell }) {
    const both = await pairOf('streams', 'gateway-streams', { events: tokens, gapMs: 2 });
    const client = chats(both.gateway.url, connections);
    const sums = { whole: 0, left: 0, other: 0 };
    const levels = [];
    let begun = 0;
    const sampler = setInterval(() => levels.push({ at: begun, mib: residentMib(both.gateway.pid) }), 250);
    try {
      await Promise.all(
        Array.from({ length: connections }, async () => {
          while (begun < total) {
            const i = begun++;
            if (i % Math.ceil(total / 20) === 0) tell(`${i} of ${total}`);
            const seen = await client.stream(i % 2 ? -1 : (i * 7919) % tokens);
            if (seen.left) sums.left++;
            else if (seen.isWhole) sums.whole++;
            else sums.other++;
          }
        }),
      );
      const end = await settled(both);
      await wait(500);
      const level = (from, to) =>
        median(levels.filter((l) => l.at >= from * total && l.at <= to * total).map((l) => l.mib));
      const [warm, last] = [level(0.2, 0.4), level(0.8, 1)];
      const growth = (last / warm - 1) * 100;
      const cut = end.upstream.begun - end.upstream.whole - end.upstream.left;
      return {
        endpoints: [],
        checks: [
          {
            what: 'resident memory, last fifth over the second', required: 'within +5 %', measured: growth, unit: '%',
            ok: growth <= 5,
          },
          {
            what: 'reserved when idle', required: '0', measured: Number(end.budget.reserved), unit: 'units',
            ok: Number(end.budget.reserved) === 0,
          },
          {
            what: 'streams that the upstream still has open', required: '0', measured: end.upstream.open, unit: '',
            ok: end.upstream.open === 0 && cut === 0,
          },
          {
            what: 'streams that neither came whole nor were left', required: '0', measured: sums.other, unit: '',
            ok: sums.other === 0,
          },
        ],
        figures: [
          { what: 'whole', measured: sums.whole, unit: 'streams' },
          { what: 'left by their callers', measured: sums.left, unit: 'streams' },
          { what: 'stopped at the upstream', measured: end.upstream.left, unit: 'streams' },
          {
            what: 'resident memory, at a fifth, two, three, four, five',
            measured: [0.2, 0.4, 0.6, 0.8, 1].map((p) => (level(p - 0.2, p) ?? 0).toFixed(0)).join(', '), unit: 'MiB',
          },
        ],
        command: 'spillway up bench/config/gateway-streams; node bench/peer-node/streams.cjs --gap-ms 2',
        setup: { streams: total, connections, events: tokens },
        notes: ['A caller that leaves closes its connection; the upstream counts the streams that were let go.'],
      };
    } finally {
      clearInterval(sampler);
      client.close();
      await stop(both.gateway, both.paced);
    }
  },
};

const slow = trial ? 500 : 2_000;

export const slowStreams = {
  name: 'slow-streams',
  work: `${slow} streams at once, a token every 250 ms`,
  async run({ tell }) {
    const events = Math.max(16, Math.round(longSeconds * 2));
    const both = await pairOf('slow-streams', 'gateway-streams', { events, gapMs: 250 });
    try {
      tell('straight to the upstream');
      const direct = await hold(both.paced.url, events);
      tell('through the gateway');
      const sampled = [];
      const sampler = setInterval(() => sampled.push(residentMib(both.gateway.pid)), 250);
      const through = await hold(both.gateway.url, events);
      clearInterval(sampler);
      const end = await settled(both);
      const most = Math.max(...sampled);
      const times = through.p99 / direct.p99;
      const whole = through.whole === slow;
      return {
        endpoints: [],
        checks: [
          {
            what: 'resident memory of the gateway, most', required: 'under 300 MB', measured: most * 1.048576, unit: 'MB',
            ok: most * 1.048576 < 300,
          },
          {
            what: 'p99 of the gap between tokens, over the direct one', required: 'at most 2x', measured: times, unit: 'x',
            ok: times <= 2,
          },
          {
            what: 'whole answers', required: `${slow}`, measured: through.whole, unit: '',
            ok: whole && end.upstream.open === 0 && Number(end.budget.reserved) === 0,
          },
        ],
        figures: [
          { what: 'p50 of the gap: direct, through', measured: [direct, through].map((t) => t.p50.toFixed(1)).join(', '), unit: 'ms' },
          { what: 'p99 of the gap: direct, through', measured: [direct, through].map((t) => t.p99.toFixed(1)).join(', '), unit: 'ms' },
          { what: 'gaps', measured: through.count, unit: '' },
        ],
        command: 'spillway up bench/config/gateway-streams; node bench/peer-node/streams.cjs --gap-ms 250',
        setup: { streams: slow, events },
        notes: ['Client, gateway and upstream share the cores, and each has all streams open.'],
      };
    } finally {
      await stop(both.gateway, both.paced);
    }
  },
};

/** All streams at once to their ends, begun within two seconds; the gaps between their tokens. */
async function hold(url, events) {
  const client = chats(url, slow);
  const gaps = [];
  const seen = await Promise.all(
    Array.from({ length: slow }, async (_, i) => {
      await wait((i * 2000) / slow);
      return client.stream(-1, (ms) => gaps.push(ms));
    }),
  );
  client.close();
  const sorted = Float64Array.from(gaps).sort();
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const whole = seen.filter((s) => s.isWhole && s.words === events).length;
  return { whole, count: sorted.length, p50: at(0.5), p99: at(0.99) };
}
