// A client of streamed chats for rows that must know what each single one brought, and leave some in the middle.
import http from 'node:http';

const body = Buffer.from(
  JSON.stringify({
    model: 'chat',
    stream: true,
    max_tokens: 32,
    messages: [{ role: 'user', content: 'Say thirty-two words, please.' }],
  }),
);

/** A client with so many connections. */
export function chats(url, connections) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const { hostname, port } = new URL(url);
  const options = {
    agent, hostname, port, method: 'POST', path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json', 'content-length': body.length },
  };
  return {
    /**
     * One stream: { status, words, isWhole, left, text }. Status 0 is a connection without an answer; words are events
     * with content that came; text is the body of what is no stream.
     * @param leaveAfter words after which the caller leaves; negative stays.
     * @param gap told of the time between two reads that brought words, in ms.
     */
    stream: (leaveAfter = -1, gap = null) =>
      new Promise((resolve) => {
        const seen = { status: 0, words: 0, isWhole: false, left: false, text: '' };
        let [tail, last] = ['', 0];
        const request = http.request(options, (answer) => {
          seen.status = answer.statusCode;
          answer.on('data', (chunk) => {
            const text = chunk.toString('latin1');
            if (seen.status !== 200) seen.text = (seen.text + text).slice(0, 2000);
            const words = count(tail, text);
            tail = (tail + text).slice(-Math.max(mark.length - 1, done.length));
            seen.isWhole = tail.endsWith(done);
            if (words === 0) return;
            const now = performance.now();
            if (last > 0) gap?.(now - last);
            last = now;
            seen.words += words;
            if (leaveAfter >= 0 && seen.words >= leaveAfter && !seen.left) {
              seen.left = true;
              request.destroy();
            }
          });
          answer.once('close', () => resolve(seen));
          answer.on('error', () => {});
        });
        request.once('error', () => resolve(seen));
        request.end(body);
      }),
    close: () => agent.destroy(),
  };
}

const mark = '"content":"word ';
const done = 'data: [DONE]\n\n';

/** Words in a piece, one that the piece before began included. */
function count(tail, text) {
  const whole = tail.slice(-(mark.length - 1)) + text;
  let [found, at] = [0, -1];
  while ((at = whole.indexOf(mark, at + 1)) >= 0) found++;
  return found;
}

/** What a JSON endpoint says. */
export async function ask(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} was answered with ${answer.status}`);
  return answer.json();
}
