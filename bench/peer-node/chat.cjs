// An OpenAI-compatible server that answers at once with the same bytes: the upstream of the rows gateway-*.
// Usage: node chat.cjs --port N. A body with "stream":true gets 34 events back to back.
const http = require('node:http');

const port = Number(process.argv[process.argv.indexOf('--port') + 1]);
const head = { id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'canned' };
const usage = { prompt_tokens: 12, completion_tokens: 32, total_tokens: 44 };
const whole = Buffer.from(
  JSON.stringify({
    ...head,
    choices: [{ index: 0, message: { role: 'assistant', content: 'word '.repeat(32), refusal: null }, finish_reason: 'stop' }],
    usage,
  }),
);
const event = (choices, more = {}) =>
  `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more })}\n\n`;
const delta = (value, finish = null) => [{ index: 0, delta: value, finish_reason: finish }];
const stream = Buffer.from(
  [
    event(delta({ role: 'assistant', content: '' })),
    ...Array.from({ length: 31 }, () => event(delta({ content: 'word ' }))),
    event(delta({}, 'stop')),
    event([], { usage }),
    'data: [DONE]\n\n',
  ].join(''),
);

http
  .createServer((request, response) => {
    let streams = false;
    request.on('data', (chunk) => (streams ||= chunk.includes('"stream":true')));
    request.on('end', () => {
      response.writeHead(200, {
        'content-type': streams ? 'text/event-stream' : 'application/json',
        'content-length': (streams ? stream : whole).length,
      });
      response.end(streams ? stream : whole);
    });
  })
  .listen(port, '127.0.0.1', () => console.log('Ready: canned'));
