// The OpenAI door as OpenAI's own client for Node.js sees it, which nobody here wrote: against a running server.
// Usage: node openai.mjs <base address with /v1>. The server has the routes that OpenAiClientTests describes: chat over a
// simulated model, and one route for each misbehaviour, of its name. One line a scenario, "ok <name>" or
// "FAILED <name>: <why>"; exit code 1 after any failure.
import assert from 'node:assert/strict';
import OpenAI from 'openai';

const [baseURL] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: 'any', maxRetries: 0 });
const messages = [{ role: 'user', content: 'Hello' }];
const tools = [
  { type: 'function', function: { name: 'look', description: 'Looks.', parameters: { type: 'object', properties: {} } } },
];

const scenarios = {
  async 'a chat'() {
    const { data, response } = await client.chat.completions.create({ model: 'chat', messages }).withResponse();
    assert.equal(data.choices[0].message.content, 'This answer is simulated: no');
    assert.equal(data.choices[0].finish_reason, 'stop');
    assert.ok(data.usage.total_tokens > 6);
    assert.equal(data._request_id, response.headers.get('x-request-id'));
  },
  async 'a stream with usage'() {
    const stream = await client.chat.completions.create({
      model: 'chat', messages, stream: true, stream_options: { include_usage: true },
    });
    let text = '';
    let usage;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta?.content ?? '';
      usage = chunk.usage ?? usage;
    }
    assert.equal(text, 'This answer is simulated: no');
    assert.equal(usage.completion_tokens, 6);
  },
  async 'a stream through the helper'() {
    const runner = client.chat.completions.stream({ model: 'chat', messages });
    const seen = [];
    runner.on('content', (delta) => seen.push(delta));
    const final = await runner.finalChatCompletion();
    assert.equal(seen.join(''), final.choices[0].message.content);
  },
  async 'a call of a tool, and its result'() {
    const first = await client.chat.completions.create({ model: 'chat', messages, tools });
    const call = first.choices[0].message.tool_calls[0];
    assert.equal(call.function.name, 'look');
    assert.deepEqual(JSON.parse(call.function.arguments), { simulated: true });
    const second = await client.chat.completions.create({
      model: 'chat', tools,
      messages: [...messages, first.choices[0].message, { role: 'tool', tool_call_id: call.id, content: '42' }],
    });
    assert.equal(second.choices[0].finish_reason, 'stop');
  },
  async 'a call of a tool in a stream'() {
    const final = await client.chat.completions.stream({ model: 'chat', messages, tools }).finalChatCompletion();
    assert.deepEqual(JSON.parse(final.choices[0].message.tool_calls[0].function.arguments), { simulated: true });
  },
  async 'several choices'() {
    const { choices } = await client.chat.completions.create({ model: 'chat', messages, n: 3 });
    assert.deepEqual(choices.map((c) => c.index), [0, 1, 2]);
  },
  async 'embeddings, which the client asks for in base64'() {
    const { data } = await client.embeddings.create({ model: 'chat', input: ['a', 'b'], dimensions: 4 });
    assert.deepEqual(data.map((d) => d.embedding), [[1, 0, 0, 0], [0, 1, 0, 0]]);
  },
  async 'embeddings in numbers'() {
    const { data } = await client.embeddings.create({ model: 'chat', input: 'a', dimensions: 2, encoding_format: 'float' });
    assert.deepEqual(data[0].embedding, [1, 0]);
  },
  async 'a plain completion and its stream'() {
    const whole = await client.completions.create({ model: 'chat', prompt: 'Once', max_tokens: 3 });
    assert.equal(whole.choices[0].text, 'This answer is');
    let text = '';
    for await (const part of await client.completions.create({ model: 'chat', prompt: 'Once', max_tokens: 3, stream: true }))
      text += part.choices[0]?.text ?? '';
    assert.equal(text, 'This answer is');
  },
  async 'moderations'() {
    const { results } = await client.moderations.create({ model: 'chat', input: 'a' });
    assert.equal(results[0].flagged, false);
  },
  async 'the list of models and one of them'() {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    assert.ok(ids.includes('chat'));
    assert.equal((await client.models.retrieve('chat')).object, 'model');
  },
  async 'a response'() {
    const response = await client.responses.create({ model: 'chat', instructions: 'Be short.', input: 'Hello' });
    assert.equal(response.status, 'completed');
    assert.equal(response.output_text, 'This answer is simulated: no');
    assert.equal(response.usage.output_tokens, 6);
  },
  async 'a response in a stream'() {
    const types = [];
    let text = '';
    let last;
    for await (const event of await client.responses.create({ model: 'chat', input: 'Hello', stream: true })) {
      types.push(event.type);
      if (event.type === 'response.output_text.delta') text += event.delta;
      last = event;
    }
    assert.deepEqual(types.slice(0, 4),
      ['response.created', 'response.in_progress', 'response.output_item.added', 'response.content_part.added']);
    assert.equal(last.type, 'response.completed');
    assert.equal(last.response.output[0].content[0].text, text);
  },
  async 'a response that calls a function, through the helper'() {
    const final = await client.responses.stream({
      model: 'chat', input: 'Hello', tools: [{ type: 'function', name: 'look', parameters: {}, strict: false }],
    }).finalResponse();
    assert.equal(final.output[0].type, 'function_call');
    assert.equal(final.output[0].name, 'look');
    assert.deepEqual(JSON.parse(final.output[0].arguments), { simulated: true });
  },
  async 'a response that is cut is incomplete'() {
    const response = await client.responses.create({ model: 'chat', input: 'Hello', max_output_tokens: 2 });
    assert.equal(response.status, 'incomplete');
    assert.equal(response.incomplete_details.reason, 'max_output_tokens');
  },
  async 'an unknown model'() {
    await assert.rejects(client.chat.completions.create({ model: 'none', messages }), (e) =>
      e instanceof OpenAI.NotFoundError && e.code === 'model_not_found' && e.param === 'model' && e.requestID.length > 0);
  },
  async 'a request that is none'() {
    await assert.rejects(client.chat.completions.create({ model: 'chat', messages: [] }), OpenAI.BadRequestError);
  },
  async 'an upstream that fails, tried as often as the client likes'() {
    const patient = new OpenAI({ baseURL, apiKey: 'any', maxRetries: 2 });
    const { setTimeout: real } = globalThis;
    const waits = [];
    globalThis.setTimeout = (run, ms, ...more) => {
      waits.push(ms);
      return real(run, ms, ...more);
    };
    try {
      await assert.rejects(patient.chat.completions.create({ model: 'throttle-after', messages }), OpenAI.RateLimitError);
    } finally {
      globalThis.setTimeout = real;
    }
    // retry-after-ms is 50, and not the half second that the client would wait by itself.
    assert.equal(waits.filter((ms) => ms === 50).length, 2, waits.join(' '));
  },
  async 'a success that is an error'() {
    await assert.rejects(client.chat.completions.create({ model: 'error-in-answer', messages }), OpenAI.InternalServerError);
  },
  async 'streams that break off throw, and never end cleanly'() {
    for (const model of ['truncated-chunk', 'half-character', 'clean-end', 'error-in-answer']) {
      const stream = await client.chat.completions.create({ model, messages, stream: true });
      let text = '';
      await assert.rejects(async () => {
        for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? '';
      }, OpenAI.APIError, model);
      assert.equal(text, 'This answer is', model);
    }
  },
  async 'a response that breaks off throws'() {
    await assert.rejects(async () => {
      for await (const event of await client.responses.create({ model: 'truncated-chunk', input: 'a', stream: true })) void event;
    }, OpenAI.APIError);
  },
  async 'an abort in mid-stream'() {
    const stream = await client.chat.completions.create({ model: 'hang-middle', messages, stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta?.content) break;
    assert.ok(stream.controller.signal.aborted);
  },
  async 'a time-out of the client'() {
    await assert.rejects(
      client.chat.completions.create({ model: 'hang-headers', messages }, { timeout: 300 }), OpenAI.APIConnectionTimeoutError);
  },
};

let failed = 0;
for (const [name, run] of Object.entries(scenarios)) {
  try {
    await run();
    console.log(`ok ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}: ${error.stack}`);
  }
}
process.exit(failed > 0 ? 1 : 0);
