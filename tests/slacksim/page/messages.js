// Messages: author, time, content, reactions, thread footer, and the bar that appears over them.
import { attachment, blocks, h, popover } from '/blocks.js';
import { emoji, quick } from '/emoji.js';
import { mrkdwn, nameOf, plain } from '/mrkdwn.js';
import { api } from '/app.js';

const GROUP_S = 300;
const icons = {
  reply: '<svg viewBox="0 0 20 20"><path d="M4 4h12a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H9l-4 3v-3H4a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1z"/></svg>',
  smile: '<svg viewBox="0 0 20 20"><circle cx="10" cy="10" r="7"/><path d="M7 12c.8 1.3 1.8 2 3 2s2.200-.7 3-2M7.500 8v.5M12.500 8v.5"/></svg>',
  more: '<svg viewBox="0 0 20 20"><path d="M10 5v.01M10 10v.01M10 15v.01" stroke-width="2.500"/></svg>',
};

export const time = (ts) => new Date(Number(ts) * 1000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
const dayOf = (ts) => new Date(Number(ts) * 1000).toDateString();
function dayLabel(ts) {
  const d = new Date(Number(ts) * 1000);
  const today = new Date();
  const yesterday = new Date(today.getTime() - 86400000);
  if (d.toDateString() === today.toDateString()) return 'Today';
  if (d.toDateString() === yesterday.toDateString()) return 'Yesterday';
  return d.toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long' });
}

const house = '<svg viewBox="0 0 24 24" class="glyph"><path d="M4.500 11.500 12 5l7.500 6.500V19a1 1 0 0 1-1 1h-4.200v-5.200H9.700V20H5.500a1 1 0 0 1-1-1z"/></svg>';
export function avatar(model, who, size = '') {
  const user = model.users[who.user] || {};
  const bot = model.bots[who.bot_id];
  const label = bot ? bot.name : nameOf(model, who.user || '?');
  const own = who.bot_id === model.app.bot_id || who.user === model.app.bot_user;
  const color = user.color || (bot && bot.user_id && (model.users[bot.user_id] || {}).color) || '64748b';
  const letters = label.split(/[\s-]+/).map((w) => w[0] || '').join('').slice(0, 2).toUpperCase();
  return h('span', { class: `avatar ${size} ${bot ? 'bot' : ''}`, style: `--tint:#${color}`, 'aria-hidden': 'true', html: own ? house : plain(letters, false) });
}

function messageContext(model, m) {
  const where = { user: model.me, channel: model.channel, ts: m.ts };
  return {
    model,
    stateOf: (e, b) => ((m._selected || {})[b.block_id] || {})[e.action_id],
    act: {
      click: (e, b) => api('click', { ...where, action_id: e.action_id, block_id: b.block_id, ...(e.value !== undefined ? { value: e.value } : {}) }, true),
      select: (e, b, value) => api('select', { ...where, action_id: e.action_id, block_id: b.block_id, value }, true),
      suggest: (e, b, value) => api('suggest', { ...where, action_id: e.action_id, block_id: b.block_id, value }, true, true),
    },
  };
}

function reactionRow(model, m) {
  if (!m.reactions || !m.reactions.length) return null;
  return h('div', { class: 'reactions' }, m.reactions.map((r) => h('button', {
    class: `reaction${r.users.includes(model.me) ? ' mine' : ''}`, title: `${r.users.map((u) => nameOf(model, u)).join(', ')} · :${r.name}:`,
    onclick: () => api('react', { user: model.me, channel: model.channel, ts: m.ts, name: r.name, remove: r.users.includes(model.me) }),
  }, emoji[r.name] || `:${r.name}:`, h('span', {}, String(r.count)))));
}

function pickReaction(model, m, at) {
  popover(at, [h('div', { class: 'emoji-grid' }, quick.map((name) => h('button', {
    title: `:${name}:`, onclick: (ev) => { ev.target.closest('.popover').closePop(); api('react', { user: model.me, channel: model.channel, ts: m.ts, name }); },
  }, emoji[name])))]);
}

function moreMenu(model, m, at, hooks) {
  const own = m.user === model.me && !m.bot_id;
  const shortcuts = (model.app.shortcuts || []).filter((s) => s.type === 'message');
  const items = shortcuts.map((s) => ({
    html: `${plain(s.name)}`, note: model.app.name,
    run: () => api('message_action', { user: model.me, channel: model.channel, ts: m.ts, callback_id: s.callback_id }, true),
  }));
  if (items.length) items.push('-');
  items.push({ label: 'Copy time stamp', note: m.ts, run: () => navigator.clipboard && navigator.clipboard.writeText(m.ts) });
  if (own) {
    items.push({ label: 'Edit message', run: () => hooks.edit(m) });
    items.push({ label: 'Delete message', danger: true, run: () => api('delete_message', { user: model.me, channel: model.channel, ts: m.ts }) });
  }
  popover(at, items);
}

function hoverBar(model, m, hooks) {
  if (m._only_user || m.subtype === 'tombstone') return null;
  const icon = (name, label, run) => { const b = h('button', { class: 'icon', title: label, 'aria-label': label, html: icons[name], onclick: () => run(b) }); return b; };
  return h('div', { class: 'hover-bar' },
    icon('smile', 'Add reaction', (b) => pickReaction(model, m, b)),
    hooks.openThread ? icon('reply', 'Reply in thread', () => hooks.openThread(m.thread_ts || m.ts)) : null,
    icon('more', 'More actions', (b) => moreMenu(model, m, b, hooks)));
}

function threadFooter(model, m, hooks) {
  if (!hooks.openThread || !m.reply_count) return null;
  return h('button', { class: 'thread-foot', onclick: () => hooks.openThread(m.ts) },
    h('span', { class: 'faces' }, (m.reply_users || []).slice(0, 4).map((u) => avatar(model, { user: u, bot_id: (model.users[u] || {}).is_bot ? model.users[u].profile.bot_id : undefined }, 'tiny'))),
    h('b', {}, `${m.reply_count} ${m.reply_count === 1 ? 'reply' : 'replies'}`),
    h('span', { class: 'muted' }, `Last reply at ${time(m.latest_reply)}`));
}

function files(m) {
  return (m.files || []).map((f) => h('div', { class: 'file' },
    h('div', { class: 'file-head' }, h('b', {}, f.title || f.name), h('span', { class: 'muted size' }, `${f.size} bytes`),
      h('a', { href: `/_sim/file?id=${f.id}`, target: '_blank' }, 'Open')),
    h('pre', {}, f.preview || '')));
}

function content(model, m) {
  if (m.subtype === 'tombstone') return h('div', { class: 'text muted' }, 'This message was deleted.');
  const ctx = messageContext(model, m);
  const box = h('div', { class: 'content' });
  if (m.blocks && m.blocks.length) box.append(blocks(ctx, m.blocks));
  else if (m.text) box.append(h('div', { class: 'text', html: mrkdwn(model, m.text) }));
  if (m.edited) (box.lastElementChild || box).append(h('span', { class: 'edited muted' }, '(edited)'));
  box.append(...(m.attachments || []).map((a) => attachment(ctx, a)), ...files(m));
  return box;
}

export function message(model, m, previous, hooks) {
  const who = { user: m.user, bot_id: m.bot_id };
  const joined = previous && !hooks.alone && previous._author === m._author && !previous._only_user === !m._only_user
    && Number(m.ts) - Number(previous.ts) < GROUP_S && dayOf(previous.ts) === dayOf(m.ts) && !previous.reply_count;
  const stranger = model.users[m.user] && model.users[m.user].team_id && model.users[m.user].team_id !== model.team.id;
  return h('article', { class: `msg${joined ? ' joined' : ''}${m._only_user ? ' ephemeral' : ''}`, 'data-ts': m.ts },
    h('div', { class: 'gutter' }, joined ? h('time', { class: 'muted' }, time(m.ts)) : avatar(model, who)),
    h('div', { class: 'msg-main' },
      m._only_user ? h('div', { class: 'only-you muted', html: '<svg viewBox="0 0 20 20"><path d="M2 10s3-5 8-5 8 5 8 5-3 5-8 5-8-5-8-5z"/><circle cx="10" cy="10" r="2.500"/></svg>Only visible to you' }) : null,
      joined ? null : h('div', { class: 'by' }, h('b', {}, m._author), m.bot_id ? h('span', { class: 'tag' }, 'APP') : null,
        stranger ? h('span', { class: 'tag out', title: 'from another workspace' }, 'EXT') : null, h('time', { class: 'muted', title: m.ts }, time(m.ts))),
      content(model, m), reactionRow(model, m), threadFooter(model, m, hooks)),
    hoverBar(model, m, hooks));
}

// Keeps what has not changed, so that open menus and focus stay where they are.
export function renderList(root, model, list, hooks) {
  const stuck = root.scrollHeight - root.scrollTop - root.clientHeight < 60;
  const old = new Map([...root.children].map((el) => [el.dataset.key, el]));
  const wanted = [];
  let previous = null;
  for (const m of list) {
    if (!hooks.alone && (!previous || dayOf(previous.ts) !== dayOf(m.ts))) wanted.push({ key: `day${dayOf(m.ts)}`, sig: 'day', make: () => h('div', { class: 'day' }, h('span', {}, dayLabel(m.ts))) });
    if (hooks.alone && previous && previous === list[0]) wanted.push({ key: 'replies', sig: String(list.length), make: () => h('div', { class: 'day' }, h('span', {}, `${list.length - 1} ${list.length === 2 ? 'reply' : 'replies'}`)) });
    const before = previous;
    wanted.push({ key: m.ts, sig: JSON.stringify([m, before && [before.ts, before._author, before.reply_count], model.me]), make: () => message(model, m, before, hooks) });
    previous = m;
  }
  let at = 0;
  for (const w of wanted) {
    let el = old.get(w.key);
    if (!el || el.dataset.sig !== w.sig) {
      const fresh = w.make();
      fresh.dataset.key = w.key;
      fresh.dataset.sig = w.sig;
      if (el) el.replaceWith(fresh);
      el = fresh;
    }
    old.delete(w.key);
    if (root.children[at] !== el) root.insertBefore(el, root.children[at] || null);
    at++;
  }
  old.forEach((el) => el.remove());
  if (stuck || hooks.toEnd) root.scrollTop = root.scrollHeight;
}
