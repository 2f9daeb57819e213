// A small client of the wire for rows that must know what happened to each single request: when it was sent, how it was
// answered, or that its server died.
import http from 'node:http';

const row = Buffer.from(
  JSON.stringify({ inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] }] }),
);

/** A client with so many connections. */
export function asker(url, connections, key = '') {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const { hostname, port } = new URL(url);
  /** Resolves to { sent, ended, status }; status 0 when the connection ended without an answer. */
  const ask = (method, path, body = Buffer.alloc(0), leaveAfterMs = 0) =>
    new Promise((resolve) => {
      const sent = performance.now();
      const headers = { 'content-length': body.length, ...(key ? { authorization: `Bearer ${key}` } : {}) };
      const request = http.request({ agent, hostname, port, method, path, headers }, (answer) => {
        let whole = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk) => {
          whole += chunk;
        });
        const end = (status) => resolve({ sent, ended: performance.now(), status, text: whole });
        answer.once('end', () => end(answer.statusCode));
        answer.once('error', () => end(0));
      });
      request.once('error', () => resolve({ sent, ended: performance.now(), status: 0, text: '' }));
      request.end(body);
      if (leaveAfterMs > 0) setTimeout(() => request.destroy(), leaveAfterMs).unref();
    });
  return {
    infer: (model, leaveAfterMs) => ask('POST', `/v2/models/${model}/infer`, row, leaveAfterMs),
    post: (path) => ask('POST', path),
    get: (path) => ask('GET', path),
    close: () => agent.destroy(),
  };
}
