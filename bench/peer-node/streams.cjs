'use strict';
// An OpenAI-compatible server that streams at a pace and, where asked for, breaks off: the upstream of the rows that are
// about many streams at once. It says under GET /stats how many of them are open, which is how a row knows that a
// gateway stopped what its callers left.
//   node streams.cjs --port N [--events 32] [--gap-ms 20] [--fault-share 0.1]
// A stream has that many events with content, then its end, its usage and [DONE]. Of a share of the streams, drawn from
// a seed, a third each is refused with 500, ends in the middle without a word, or has its connection cut.
const http = require('node:http');

function option(name, otherwise) {
  const at = process.argv.indexOf(name);
  return at >= 0 ? Number(process.argv[at + 1]) : otherwise;
}

const [port, events] = [option('--port'), option('--events', 32)];
const [gapMs, faultShare] = [option('--gap-ms', 20), option('--fault-share', 0)];
const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'paced' };
const event = (choices, more = {}) => Buffer.from(`data: ${JSON.stringify({ ...head, choices, ...more })}\n\n`);
const delta = (value, finish = null) => [{ index: 0, delta: value, finish_reason: finish }];
const role = event(delta({ role: 'assistant', content: '' }));
const word = event(delta({ content: 'word ' }));
const end = Buffer.concat([
  event(delta({}, 'stop')),
  event([], { usage: { prompt_tokens: 12, completion_tokens: events, total_tokens: 12 + events } }),
  Buffer.from('data: [DONE]\n\n'),
]);
const stats = { open: 0, begun: 0, whole: 0, left: 0, faults: 0 };
const streams = new Set();

/** A small generator of draws (mulberry32): a run repeats. */
let seed = 7;
function draw() {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

function begin(response) {
  const fault = draw() < faultShare ? 1 + Math.floor(draw() * 3) : 0;
  stats.begun++;
  if (fault === 1) {
    stats.faults++;
    response.writeHead(500, { 'content-type': 'application/json' });
    response.end('{"error":{"message":"as drawn"}}');
    return;
  }
  const stream = { response, sent: 0, fault, stopAt: fault ? Math.floor(draw() * events) : events, due: performance.now() };
  stats.open++;
  streams.add(stream);
  response.once('close', () => {
    stats.open--;
    if (streams.delete(stream)) stats.left++;
  });
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(role);
}

/** The next event, or how the stream ends. */
function step(stream, now) {
  if (stream.sent < stream.stopAt) {
    stream.sent++;
    stream.due = Math.max(stream.due + gapMs, now - gapMs);
    stream.response.write(word);
    return;
  }
  streams.delete(stream);
  if (stream.fault) stats.faults++;
  else stats.whole++;
  if (stream.fault === 3) stream.response.destroy();
  else stream.response.end(stream.fault ? undefined : end);
}

// One timer for all: thousands of timers would measure themselves.
setInterval(() => {
  const now = performance.now();
  for (const stream of streams) {
    if (stream.due <= now) step(stream, now);
  }
}, Math.min(5, gapMs));

http
  .createServer((request, response) => {
    if (request.method === 'GET') {
      response.end(JSON.stringify(stats));
      return;
    }
    request.resume();
    request.once('end', () => begin(response));
  })
  .listen(port, '127.0.0.1', 4096, () => console.log('Ready: paced'));
