/* Slack's own clients against slacksim: what a simulator is worth that only our own bot understands, nobody knows.
 * usage: node sdk_test.cjs http://127.0.0.1:PORT      exit 0: all well */
'use strict';
const assert = require('node:assert');
const { App, LogLevel } = require('@slack/bolt');
const { SocketModeClient } = require('@slack/socket-mode');

const base = process.argv[2];
const tests = [];
const test = (name, fn) => tests.push({ name, fn });

async function post(path, body = {}) {
  const res = await fetch(base + path, { method: 'POST', body: JSON.stringify(body) });
  return res.json();
}
async function get(path, query = {}) {
  const res = await fetch(`${base}${path}?${new URLSearchParams(query)}`);
  return res.json();
}
async function wait(query) {
  const answer = await get('/_sim/wait', { timeout_ms: 5000, ...query });
  assert.ok(answer.ok, `nothing came for ${JSON.stringify(query)}`);
  return answer;
}

function boltApp() {
  const app = new App({
    token: 'xoxb-sim', appToken: 'xapp-sim', socketMode: true, logLevel: LogLevel.ERROR,
    clientOptions: { slackApiUrl: `${base}/api/` },
  });
  app.command('/hausmeister', async ({ command, ack, say, respond, client }) => {
    await ack();
    if (command.text === 'ephemeral') return respond({ text: 'only for you', response_type: 'ephemeral' });
    if (command.text === 'modal') {
      return client.views.open({
        trigger_id: command.trigger_id,
        view: {
          type: 'modal', callback_id: 'form', title: { type: 'plain_text', text: 'Retract' }, submit: { type: 'plain_text', text: 'Go' },
          blocks: [{ type: 'input', block_id: 'why', label: { type: 'plain_text', text: 'Why' },
                     element: { type: 'plain_text_input', action_id: 'text' } }],
        },
      });
    }
    return say({
      text: 'Retract 42?',
      blocks: [
        { type: 'section', text: { type: 'mrkdwn', text: '*Retract 42?*' } },
        { type: 'actions', block_id: 'gate', elements: [
          { type: 'button', action_id: 'approve', style: 'danger', text: { type: 'plain_text', text: 'Approve' }, value: 'n1' }] },
      ],
    });
  });
  app.action('approve', async ({ ack, body, client }) => {
    await ack();
    await client.chat.update({ channel: body.channel.id, ts: body.message.ts, text: `approved by <@${body.user.id}>`, blocks: [] });
  });
  app.view('form', async ({ ack, view, body, client }) => {
    const why = view.state.values.why.text.value;
    if (why.length < 5) return ack({ response_action: 'errors', errors: { why: 'Say more' } });
    await ack();
    return client.chat.postMessage({ channel: 'C0OPS', text: `<@${body.user.id}> says: ${why}` });
  });
  app.event('app_mention', async ({ event, say }) => say({ text: 'you called?', thread_ts: event.thread_ts || event.ts }));
  app.shortcut('hm_recipe_on_message', async ({ ack, shortcut, client }) => {
    await ack();
    await client.chat.postMessage({ channel: shortcut.channel.id, thread_ts: shortcut.message_ts, text: `shortcut on: ${shortcut.message.text}` });
  });
  app.event('app_home_opened', async ({ event, client }) => client.views.publish({
    user_id: event.user,
    view: { type: 'home', blocks: [{ type: 'section', text: { type: 'mrkdwn', text: 'Welcome home' } }] },
  }));
  return app;
}

test('slash, say, button, update', async () => {
  const slash = await post('/_sim/slash?wait=ack', { user: 'U0ANA', channel: 'C0OPS', text: 'retract 42' });
  assert.ok(slash.acked, JSON.stringify(slash));
  const card = await wait({ channel: 'C0OPS', contains: 'Retract 42?', action: 'approve' });
  const click = await post('/_sim/click?wait=ack', { user: 'U0BEN', channel: 'C0OPS', ts: card.ts, action_id: 'approve', value: 'n1' });
  assert.ok(click.acked, JSON.stringify(click));
  await wait({ channel: 'C0OPS', ts: card.ts, contains: 'approved by @Ben' });
  const again = await post('/_sim/click', { user: 'U0BEN', channel: 'C0OPS', ts: card.ts, action_id: 'approve' });
  assert.strictEqual(again.error, 'no_such_action');
});

test('response_url, ephemeral', async () => {
  await post('/_sim/slash?wait=ack', { user: 'U0CAM', channel: 'C0OPS', text: 'ephemeral' });
  const note = await wait({ channel: 'C0OPS', contains: 'only for you', user: 'U0CAM', ephemeral: 1 });
  assert.strictEqual(note.only_user, 'U0CAM');
});

test('modal with errors, then closed', async () => {
  await post('/_sim/slash?wait=ack', { user: 'U0ANA', channel: 'C0OPS', text: 'modal' });
  await wait({ view: 1, user: 'U0ANA', contains: 'Retract' });
  const empty = await post('/_sim/submit_view?wait=ack', { user: 'U0ANA', values: {} });
  assert.strictEqual(empty.error, 'input_refused');
  const short = await post('/_sim/submit_view?wait=ack', { user: 'U0ANA', values: { why: 'no' } });
  assert.deepStrictEqual(short.ack_payload.errors, { why: 'Say more' });
  const good = await post('/_sim/submit_view?wait=ack', { user: 'U0ANA', values: { why: { text: 'because it is wrong' } } });
  assert.ok(good.acked, JSON.stringify(good));
  await wait({ channel: 'C0OPS', contains: '@Ana says: because it is wrong' });
  await wait({ view: 1, user: 'U0ANA', absent: 1 });
});

test('mention, answered in the thread', async () => {
  const { ts } = await post('/_sim/mention', { user: 'U0DAN', channel: 'C0OPS', text: 'are you there?' });
  await wait({ channel: 'C0OPS', thread_ts: ts, contains: 'you called?' });
});

test('message shortcut and Home tab', async () => {
  const { ts } = await post('/_sim/message', { bot: 'B0SPLUNK', channel: 'C0ETL', text: 'dead letters!' });
  await post('/_sim/message_action?wait=ack', { user: 'U0ANA', channel: 'C0ETL', ts, callback_id: 'hm_recipe_on_message' });
  await wait({ channel: 'C0ETL', thread_ts: ts, contains: 'shortcut on: dead letters!' });
  await post('/_sim/home_open', { user: 'U0ANA' });
  await wait({ home: 1, user: 'U0ANA', contains: 'Welcome home' });
});

test('web API pages and errors', async (app) => {
  const seen = [];
  for await (const page of app.client.paginate('conversations.list', { limit: 2 })) seen.push(...page.channels);
  assert.ok(seen.length >= 6);
  await assert.rejects(app.client.chat.postMessage({ channel: 'C0NONE', text: 'x' }), /channel_not_found/);
  await assert.rejects(app.client.chat.postMessage({ channel: 'C0RANDOM', text: 'x' }), /not_in_channel/);
  await assert.rejects(app.client.chat.postMessage({ channel: 'C0OPS', text: 'x', blocks: [{ type: 'section' }] }), /invalid_blocks/);
  const file = await app.client.filesUploadV2({ channel_id: 'C0OPS', filename: 'log.txt', content: 'line one\nline two\n' });
  assert.ok(file.ok);
  await wait({ channel: 'C0OPS', contains: 'line two' });
});

test('refresh: the client comes back', async () => {
  await post('/_sim/config', { time_scale: 0.01 });
  await post('/_sim/disconnect', { reason: 'refresh_requested' });
  await wait({ log: 'conn:4', timeout_ms: 15000 });
  await wait({ connections: 1, idle_ms: 200, timeout_ms: 15000 });
  const slash = await post('/_sim/slash?wait=ack', { user: 'U0ANA', channel: 'C0OPS', text: 'after refresh' });
  assert.ok(slash.acked, JSON.stringify(slash));
  await post('/_sim/config', { time_scale: 1 });
});

async function bareClient() {
  const client = new SocketModeClient({ appToken: 'xapp-sim', logLevel: 'error', clientOptions: { slackApiUrl: `${base}/api/` } });
  let commands = 0;
  client.on('slash_commands', async ({ ack }) => {
    commands++;
    await ack({ text: 'from the ack' });
  });
  await client.start();
  const slash = await post('/_sim/slash?wait=ack', { user: 'U0BEN', channel: 'C0ETL', text: 'bare' });
  assert.ok(slash.acked && slash.ack_payload.text === 'from the ack', JSON.stringify(slash));
  assert.strictEqual(commands, 1);
  await wait({ channel: 'C0ETL', contains: 'from the ack', user: 'U0BEN', ephemeral: 1 });
  const burst = await post('/_sim/burst', { n: 500, text: 'load ${i}' });
  assert.strictEqual(burst.acked, 500, JSON.stringify(burst));
  await client.disconnect();
}

async function main() {
  const app = boltApp();
  let failed = 0;
  await app.start();
  await wait({ min_connections: 1 });
  for (const { name, fn } of tests) {
    try {
      await fn(app);
      console.log(`ok    bolt: ${name}`);
    } catch (e) {
      failed++;
      console.log(`FAIL  bolt: ${name}\n${e.stack}`);
    }
  }
  await app.stop();
  try {
    await post('/_sim/reset', { connections: true });
    await bareClient();
    console.log('ok    socket-mode: ack payload, burst');
  } catch (e) {
    failed++;
    console.log(`FAIL  socket-mode\n${e.stack}`);
  }
  console.log(`${tests.length + 1 - failed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
main();
