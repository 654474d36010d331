// Server-sent events, as browsers and SDKs read them.

/** Splits a text of whole and partial events into `{events, comments, rest}`; an event is `{event, data}`. */
export function parseEvents(text) {
  const events = [];
  const comments = [];
  const blocks = text.split('\n\n');
  const rest = blocks.pop();
  for (const block of blocks) {
    const event = { event: undefined, data: undefined };
    for (const line of block.split('\n')) {
      if (line.startsWith(':')) comments.push(line.slice(1).trim());
      else if (line.startsWith('data:')) event.data = (event.data === undefined ? '' : `${event.data}\n`) + line.slice(5).replace(/^ /, '');
      else if (line.startsWith('event:')) event.event = line.slice(6).trim();
    }
    if (event.data !== undefined) events.push(event);
  }
  return { events, comments, rest };
}

/** What a chat stream said: `{text, done, error, usage, finish, chunks, comments, rest}`. */
export function readChat(text) {
  const { events, comments, rest } = parseEvents(text);
  const said = { text: '', done: false, error: undefined, usage: undefined, finish: undefined, chunks: [], comments, rest };
  for (const { data } of events) {
    if (said.done) throw new Error(`an event after [DONE]: ${data}`);
    if (data === '[DONE]') {
      said.done = true;
      continue;
    }
    let chunk;
    try {
      chunk = JSON.parse(data);
    } catch {
      said.malformed = data;
      continue;
    }
    if (chunk.error) {
      said.error = chunk.error;
      continue;
    }
    said.chunks.push(chunk);
    said.text += chunk.choices?.[0]?.delta?.content ?? '';
    said.finish = chunk.choices?.[0]?.finish_reason ?? said.finish;
    said.usage = chunk.usage ?? said.usage;
  }
  return said;
}
