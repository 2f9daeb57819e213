// The same requests through Spillway and through the npm package @portkey-ai/gateway, before the same canned upstream.
import fs from 'node:fs';
import path from 'node:path';
import { freePort, startChat, startPortkey, startSpillway, stop } from '../lib/processes.mjs';
import { root, rounds, scratch, seconds } from '../lib/settings.mjs';
import { pair, spread } from '../lib/stats.mjs';
import { closedLoop, env } from './gateway.mjs';

const connections = 16;

export const portkey = {
  name: 'portkey',
  work: `the OpenAI gateway beside npm @portkey-ai/gateway: whole answers, ${connections} connections and one`,
  async run({ tell }) {
    fs.mkdirSync(scratch, { recursive: true });
    const upstream = await startChat(await freePort());
    const spillway = await startSpillway('spillway', path.join(root, 'bench/config/gateway'), env(upstream, 'portkey'));
    const peer = await startPortkey();
    const headers = {
      'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${upstream.url}/v1`, authorization: 'Bearer none',
    };
    const servers = [
      { name: 'spillway', url: spillway.url, headers: {} },
      { name: 'portkey', url: peer.url, headers },
      { name: 'direct', url: upstream.url, headers: {} },
    ];
    const [rate, p50] = [{}, {}];
    try {
      for (const { name, url, headers: more } of servers) {
        [rate[name], p50[name]] = [[], []];
        tell(`warming ${name}`);
        await closedLoop(url, connections, false, Math.min(12, seconds * 4), more);
      }
      for (let round = 1; round <= rounds; round++) {
        tell(`round ${round} of ${rounds}`);
        for (const { name, url, headers: more } of servers) {
          rate[name].push((await closedLoop(url, connections, false, seconds, more)).count / seconds);
          p50[name].push((await closedLoop(url, 1, false, seconds, more)).p50);
        }
      }
      const faster = spread(pair([rate.spillway, rate.portkey], (a, b) => a / b));
      const added = (name) => spread(pair([p50[name], p50.direct], (a, b) => a - b));
      const share = spread(
        pair([p50.spillway, p50.portkey, p50.direct], (a, b, none) => (a - none) / (b - none)),
      );
      return {
        endpoints: [],
        checks: [
          { what: 'rate over the peer', required: 'at least 10x', measured: faster, unit: 'x', ok: faster.median >= 10 },
          {
            what: 'added p50 at one connection, share of the peer’s', required: 'at most 0.1', measured: share, unit: '',
            ok: share.median <= 0.1,
          },
        ],
        figures: [
          ...servers.map(({ name }) => ({ what: `${name}: requests a second`, measured: spread(rate[name]), unit: '' })),
          { what: 'spillway: added p50', measured: added('spillway'), unit: 'ms' },
          { what: 'portkey: added p50', measured: added('portkey'), unit: 'ms' },
          { what: 'direct: p50', measured: spread(p50.direct), unit: 'ms' },
        ],
        command: 'spillway up bench/config/gateway; node start-server.js --headless (bench/peer-portkey); a closed loop each',
        setup: { connections },
        notes: [
          'Client, gateway and upstream share the cores, which helps the slower one: the client and the upstream wait for it.',
          'The peer is one Node process, as its package starts it; streams of that version answer 500 without a patch, so they are not compared.',
        ],
      };
    } finally {
      await stop(spillway, peer, upstream);
    }
  },
};
