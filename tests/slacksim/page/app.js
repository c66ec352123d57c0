// The page: one model from the simulator (/_sim/ui), drawn anew where it changed; server-sent events say when to fetch it again.
import { h, popover } from '/blocks.js';
import { composer } from '/composer.js';
import { avatar, renderList } from '/messages.js';
import { home, renderModal } from '/modal.js';
import { nameOf, mrkdwn } from '/mrkdwn.js';

const $ = (id) => document.getElementById(id);
const params = new URLSearchParams(location.search);
const view = {
  user: params.get('user') || localStorage.getItem('sim.user') || 'U0ANA',
  channel: params.get('channel') || 'C0OPS',
  thread: params.get('thread') || null,
  tab: params.get('view') === 'home' ? 'home' : 'messages',
};
let model = null;
let stream = null;

const svg = {
  menu: '<svg viewBox="0 0 20 20"><path d="M3 6h14M3 10h14M3 14h14"/></svg>',
  close: '<svg viewBox="0 0 20 20"><path d="m5 5 10 10M15 5 5 15"/></svg>',
  sun: '<svg viewBox="0 0 20 20"><circle cx="10" cy="10" r="3.500"/><path d="M10 2v2M10 16v2M2 10h2M16 10h2M4.500 4.500l1.400 1.400M14.100 14.100l1.400 1.400M15.500 4.500l-1.400 1.400M5.900 14.100l-1.400 1.400"/></svg>',
  lock: '<svg viewBox="0 0 20 20"><rect x="5" y="9" width="10" height="7" rx="1.500"/><path d="M7 9V7a3 3 0 0 1 6 0v2"/></svg>',
};

export function toast(text) {
  const el = h('div', { class: 'toast', html: mrkdwn(model || { users: {}, channels: [] }, text) });
  $('toasts').append(el);
  setTimeout(() => el.classList.add('gone'), 4200);
  setTimeout(() => el.remove(), 4700);
}

const explain = {
  trouble_connecting: 'That did not work: the app did not answer.', dispatch_failed: 'The app is not connected.',
  no_such_action: 'That button is gone.', no_such_message: 'That message is gone.', other_value: 'That button has changed.',
};

// Something a person does. wait: until the app has acknowledged it.
export async function api(name, body, wait = false, quiet = false) {
  let answer = {};
  try {
    const res = await fetch(`/_sim/${name}${wait ? '?wait=ack' : ''}`, { method: 'POST', body: JSON.stringify(body) });
    answer = await res.json();
  } catch (e) {
    toast('The simulator does not answer.');
    return {};
  }
  if (!answer.ok && !quiet && answer.error !== 'input_refused' && answer.error !== 'trouble_connecting' && !(name === 'slash')) toast(explain[answer.error] || answer.detail || answer.error);
  refresh();
  return answer;
}

/* --- model ---------------------------------------------------------------------------------------------------------------------- */
let fetching = false;
let again = false;
export async function refresh() {
  if (fetching) { again = true; return; }
  fetching = true;
  try {
    const query = new URLSearchParams({ user: view.user, channel: view.channel, ...(view.thread ? { thread: view.thread } : {}) });
    const res = await fetch(`/_sim/ui?${query}`);
    model = await res.json();
    model.me = view.user;
    if (!model.users[view.user]) { view.user = 'U0ANA'; again = true; } else draw();
  } catch (e) {
    document.body.classList.add('offline');
  }
  fetching = false;
  if (again) { again = false; refresh(); }
}

function listen() {
  if (stream) stream.close();
  stream = new EventSource(`/_sim/events?user=${encodeURIComponent(view.user)}`);
  let due = false;
  stream.addEventListener('change', () => {
    document.body.classList.remove('offline');
    if (due) return;
    due = true;
    setTimeout(() => { due = false; refresh(); }, 25);
  });
  stream.addEventListener('toast', (ev) => toast(ev.data));
  stream.onerror = () => document.body.classList.add('offline');
}

function address() {
  const q = new URLSearchParams({ user: view.user, channel: view.channel });
  if (view.thread) q.set('thread', view.thread);
  if (view.tab === 'home') q.set('view', 'home');
  if (params.get('theme')) q.set('theme', params.get('theme'));
  history.replaceState(null, '', `?${q}`);
}

const isApp = () => model && model.channels.some((c) => c.id === view.channel && c.is_im);

function go(change) {
  const moved = change.channel && change.channel !== view.channel;
  Object.assign(view, change);
  if (moved && !('thread' in change)) view.thread = null;
  if (change.channel && !('tab' in change)) view.tab = 'messages';
  document.body.classList.remove('side-open');
  address();
  jump = true;
  refresh();
}

/* --- drawing -------------------------------------------------------------------------------------------------------------------- */
let jump = true; // scroll to the end at the next drawing
let seen = '';

function navItem(c, label, mark) {
  const on = c.id === view.channel;
  const news = c.unread > 0 && !on;
  return h('button', { class: `nav-item${on ? ' on' : ''}${news ? ' news' : ''}`, onclick: () => go({ channel: c.id }) },
    mark, h('span', { class: 'nav-name' }, label), news && c.mentions > 0 ? h('span', { class: 'badge' }, String(c.mentions)) : news ? h('span', { class: 'dot' }) : null);
}

function drawSide() {
  const channels = model.channels.filter((c) => !c.is_im);
  const dm = model.channels.find((c) => c.is_im);
  const sig = JSON.stringify([model.channels, view, model.connections]);
  if ($('nav').dataset.sig === sig) return;
  $('nav').dataset.sig = sig;
  $('team-name').textContent = model.team.name;
  $('bot-state').textContent = model.connections > 0 ? `${model.app.name} is connected` : `${model.app.name} is not connected`;
  $('bot-state').className = model.connections > 0 ? 'live' : 'dead';
  $('nav').replaceChildren(
    h('h3', {}, 'Channels'),
    ...channels.map((c) => navItem(c, c.name, h('span', { class: 'hash', html: c.is_private ? svg.lock : '#' }))),
    h('h3', {}, 'Apps'),
    h('button', { class: `nav-item${isApp() ? ' on' : ''}${dm && dm.unread && !isApp() ? ' news' : ''}`, onclick: openApp },
      avatar(model, { user: model.app.bot_user, bot_id: model.app.bot_id }, 'tiny'), h('span', { class: 'nav-name' }, model.app.name),
      h('span', { class: `presence${model.connections ? ' live' : ''}`, title: model.connections ? `${model.connections} connection(s)` : 'not connected' }),
      dm && dm.unread && !isApp() ? h('span', { class: 'badge' }, String(dm.unread)) : null));
}

async function openApp() {
  const id = `D${view.user.slice(1)}`;
  await api('home_open', { user: view.user, tab: 'home' });
  go({ channel: id, thread: null, tab: 'home' });
}

function people() {
  return Object.entries(model.users).filter(([id, u]) => !u.is_bot && !u.deleted && id !== 'USLACKBOT');
}

function drawMe() {
  if ($('me').dataset.sig === view.user) return;
  $('me').dataset.sig = view.user;
  const user = model.users[view.user];
  const button = h('button', { class: 'me', title: 'Be somebody else', onclick: () => popover(button, [
    h('div', { class: 'pop-title muted' }, 'Be somebody else'),
    ...people().map(([id, u]) => {
      const row = h('button', { class: id === view.user ? 'on' : '', role: 'menuitem', onclick: () => { row.closest('.popover').closePop(); become(id); } },
        h('span', { class: 'row' }, avatar(model, { user: id }, 'small'), h('span', {}, h('b', {}, nameOf(model, id)), h('br'), h('small', { class: 'muted' }, (u.profile || {}).title || ''))));
      return row;
    }), '-', { label: 'Light or dark', run: toggleTheme }]) },
  avatar(model, { user: view.user }), h('span', { class: 'me-name' }, h('b', {}, nameOf(model, view.user)), h('small', {}, (user.profile || {}).title || '')), h('span', { class: 'chev' }, '⌄'));
  $('me').replaceChildren(button);
}

function become(id) {
  view.user = id;
  localStorage.setItem('sim.user', id);
  const member = model.channels.find((c) => c.id === view.channel);
  if (member && member.is_im) view.channel = 'C0OPS';
  listen();
  go({});
}

function toggleTheme() {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = dark ? 'light' : 'dark';
  localStorage.setItem('sim.theme', document.documentElement.dataset.theme);
}

function drawHead(c) {
  const sig = JSON.stringify([c, view.tab]);
  if ($('title').dataset.sig === sig) return;
  $('title').dataset.sig = sig;
  if (c.is_im) {
    const tab = (name, label) => h('button', { class: `tab${view.tab === name ? ' on' : ''}`, onclick: () => { api('home_open', { user: view.user, tab: name }); go({ tab: name }); } }, label);
    $('title').replaceChildren(h('div', { class: 'row' }, avatar(model, { user: model.app.bot_user, bot_id: model.app.bot_id }, 'small'), h('h1', {}, model.app.name), h('span', { class: 'tag' }, 'APP')),
      h('div', { class: 'tabs' }, tab('home', 'Home'), tab('messages', 'Messages')));
  } else {
    $('title').replaceChildren(h('h1', { html: `<span class="hash">${c.is_private ? svg.lock : '#'}</span>` }, c.name), h('span', { class: 'topic muted' }, c.topic || ''));
  }
  $('head-right').replaceChildren(c.is_im ? '' : h('span', { class: 'pill muted', title: 'members' }, `${c.members} members`),
    c.is_ext_shared ? h('span', { class: 'pill out', title: 'shared with another workspace' }, 'shared') : '');
}

const hooks = {
  openThread: (ts) => { go({ thread: ts }); },
  edit: editMessage,
};

function editMessage(m) {
  const box = h('textarea', { class: 'field', rows: '3' });
  box.value = m.text.replace(/<@(\w+)>/g, (_, id) => `@${(model.users[id] || {}).name || id}`).replace(/<#\w+\|([^>]*)>/g, '#$1').replace(/<([^>|]+)(\|[^>]*)?>/g, '$1').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');
  const veil = h('div', { class: 'veil' }, h('div', { class: 'dialog small' }, h('header', {}, h('h2', {}, 'Edit message')), h('div', { class: 'body' }, box),
    h('footer', {}, h('button', { class: 'btn', onclick: () => veil.remove() }, 'Cancel'),
      h('button', { class: 'btn primary', onclick: () => { veil.remove(); api('edit_message', { user: view.user, channel: view.channel, ts: m.ts, text: box.value, typed: true }); } }, 'Save'))));
  $('pop-root').append(veil);
  box.focus();
}

function drawList(c) {
  const showHome = c.is_im && view.tab === 'home';
  $('composer').hidden = showHome;
  if (showHome) {
    const sig = `home${JSON.stringify(model.home)}${view.user}`;
    if ($('list').dataset.home !== sig) { $('list').dataset.home = sig; $('list').replaceChildren(home(model)); }
    return;
  }
  const where = `${view.user}/${c.id}`;
  if ($('list').dataset.where !== where || $('list').dataset.home) { $('list').replaceChildren(); $('list').dataset.where = where; delete $('list').dataset.home; jump = true; }
  if (!model.messages.length) {
    $('list').replaceChildren(h('div', { class: 'empty' }, h('h2', {}, c.is_im ? model.app.name : `#${c.name}`), h('p', {}, c.is_im
      ? `This is your conversation with ${model.app.name}.` : c.bot ? `Nothing here yet. Type / for commands, or mention @${model.app.name}.` : `${model.app.name} is not in this channel.`)));
  } else {
    $('list').querySelectorAll('.empty').forEach((el) => el.remove());
    renderList($('list'), model, model.messages, { ...hooks, toEnd: jump });
  }
}

function drawThread(c) {
  const list = view.thread ? model.thread || [] : [];
  const open = Boolean(view.thread && list.length && !(c.is_im && view.tab === 'home'));
  $('thread').hidden = !open;
  document.body.classList.toggle('thread-open', open);
  if (!open) return;
  $('thread-where').textContent = c.is_im ? '' : `#${c.name}`;
  if ($('thread-list').dataset.where !== `${view.user}/${view.thread}`) { $('thread-list').replaceChildren(); $('thread-list').dataset.where = `${view.user}/${view.thread}`; }
  renderList($('thread-list'), model, list, { ...hooks, openThread: null, alone: true, toEnd: jump });
}

function markRead(c) {
  if (document.hidden || !model.messages || !c.latest || seen === `${view.user}${c.id}${c.latest}`) return;
  seen = `${view.user}${c.id}${c.latest}`;
  if (c.unread) fetch('/_sim/read', { method: 'POST', body: JSON.stringify({ user: view.user, channel: c.id, ts: c.latest }) });
}

function draw() {
  document.body.classList.remove('offline');
  const c = model.channels.find((one) => one.id === view.channel);
  drawSide();
  drawMe();
  if (!c) {
    view.channel = (model.channels.find((one) => one.id === 'C0OPS') || model.channels[0] || {}).id;
    view.thread = null;
    if (view.channel) refresh();
    return;
  }
  model.channel = c.id;
  document.title = `${c.is_im ? model.app.name : `#${c.name}`} · ${model.team.name}`;
  drawHead(c);
  mainComposer.setPlaceholder(c.is_im ? `Message ${model.app.name}` : `Message #${c.name} as ${nameOf(model, view.user)}`);
  threadComposer.setPlaceholder(`Reply as ${nameOf(model, view.user)}…`);
  drawList(c);
  drawThread(c);
  renderModal($('modal-root'), model);
  markRead(c);
  jump = false;
}

/* --- start ------------------------------------------------------------------------------------------------------------------------ */
const theme = params.get('theme') || localStorage.getItem('sim.theme');
if (theme) document.documentElement.dataset.theme = theme;
$('burger').innerHTML = svg.menu;
$('thread-close').innerHTML = svg.close;
$('burger').addEventListener('click', () => document.body.classList.toggle('side-open'));
$('main').addEventListener('click', (ev) => { if (document.body.classList.contains('side-open') && !ev.target.closest('#burger')) document.body.classList.remove('side-open'); }, true);
$('thread-close').addEventListener('click', () => go({ thread: null }));
document.addEventListener('click', (ev) => {
  const link = ev.target.closest('a[data-channel]');
  if (link) { ev.preventDefault(); go({ channel: link.dataset.channel }); }
});
document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });
const mainComposer = composer(() => model, { placeholder: 'Message' });
const threadComposer = composer(() => model, { placeholder: 'Reply…', threadTs: () => view.thread });
$('composer').append(mainComposer);
$('thread-composer').append(threadComposer);
listen();
refresh();
mainComposer.focusBox();
