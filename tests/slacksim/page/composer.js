// The text box: messages, slash commands, mentions, shortcuts.
import { h, popover } from '/blocks.js';
import { api, toast } from '/app.js';
import { nameOf, plain } from '/mrkdwn.js';

const icons = {
  send: '<svg viewBox="0 0 20 20"><path d="M3 10 17 3l-4 14-3.500-5.500z"/></svg>',
  bolt: '<svg viewBox="0 0 20 20"><path d="M11 2 4 11h5l-1 7 7-9h-5z"/></svg>',
};

// The word before the caret that starts with @ or #.
function openWord(box) {
  const before = box.value.slice(0, box.selectionStart);
  const hit = /(^|\s)([@#])([\w.-]*)$/.exec(before);
  return hit ? { mark: hit[2], part: hit[3].toLowerCase(), from: before.length - hit[3].length - 1 } : null;
}

function suggestions(model, word) {
  if (word.mark === '#') return model.channels.filter((c) => c.name.startsWith(word.part)).map((c) => ({ insert: `#${c.name}`, label: `#${c.name}` }));
  const people = Object.entries(model.users).filter(([id, u]) => !u.deleted && id !== 'USLACKBOT')
    .map(([id, u]) => ({ insert: `@${u.name}`, label: nameOf(model, id), note: u.is_bot ? 'app' : (u.profile || {}).title }));
  const groups = Object.values(model.usergroups || {}).map((g) => ({ insert: `@${g.handle}`, label: `@${g.handle}`, note: g.name }));
  return [...people, ...groups].filter((s) => s.label.toLowerCase().includes(word.part) || s.insert.slice(1).startsWith(word.part));
}

export function composer(getModel, { threadTs = () => null, placeholder }) {
  const hint = h('div', { class: 'hint-list', hidden: true });
  const box = h('textarea', { rows: '1', 'aria-label': 'Message', spellcheck: 'false' });
  let picks = [];
  let picked = 0;

  const grow = () => { box.style.height = 'auto'; box.style.height = `${Math.min(box.scrollHeight, 220)}px`; };
  const take = (pick) => {
    const word = openWord(box);
    if (pick.command) box.value = `${pick.command} `;
    else if (word) box.setRangeText(`${pick.insert} `, word.from, box.selectionStart, 'end');
    refresh();
    box.focus();
  };
  function refresh() {
    const model = getModel();
    const text = box.value;
    const word = openWord(box);
    grow();
    send.disabled = !text.trim();
    picks = [];
    hint.replaceChildren();
    if (/^\/\S*$/.test(text)) picks = (model.app.commands || []).filter((c) => c.command.startsWith(text)).map((c) => ({ command: c.command, label: c.command, note: c.description, sub: c.usage_hint }));
    else if (word) picks = suggestions(model, word).slice(0, 8);
    const command = (model.app.commands || []).find((c) => text.startsWith(`${c.command} `));
    picked = Math.min(picked, Math.max(0, picks.length - 1));
    if (picks.length) {
      hint.append(...picks.map((p, i) => h('button', { class: i === picked ? 'on' : '', onmousedown: (ev) => { ev.preventDefault(); take(p); } },
        h('b', { html: plain(p.label) }), p.note ? h('span', { class: 'muted' }, p.note) : null, p.sub ? h('small', { class: 'muted' }, p.sub) : null)));
    } else if (command) {
      hint.append(h('div', { class: 'usage muted' }, h('b', {}, command.command), ` ${command.usage_hint || ''}`));
    }
    hint.hidden = !hint.childNodes.length;
  }
  async function submit() {
    const model = getModel();
    const text = box.value.trim();
    if (!text) return;
    const thread = threadTs();
    const slash = /^(\/\S+)(?:\s+([\s\S]*))?$/.exec(text);
    box.value = '';
    refresh();
    if (slash && thread) { toast(`${slash[1]} is not supported in threads. Use a mention: @${model.app.name} …`); return; }
    if (slash && !(model.app.commands || []).some((c) => c.command === slash[1])) { toast(`${slash[1]} is not a valid command.`); box.value = text; refresh(); return; }
    if (slash) { await api('slash', { user: model.me, channel: model.channel, command: slash[1], text: slash[2] || '', typed: true }); return; }
    await api('message', { user: model.me, channel: model.channel, text, typed: true, ...(thread ? { thread_ts: thread } : {}) });
  }
  box.addEventListener('input', () => { picked = 0; refresh(); });
  box.addEventListener('blur', () => { hint.hidden = true; });
  box.addEventListener('keydown', (ev) => {
    if (picks.length && (ev.key === 'ArrowDown' || ev.key === 'ArrowUp')) {
      ev.preventDefault();
      picked = (picked + (ev.key === 'ArrowDown' ? 1 : picks.length - 1)) % picks.length;
      refresh();
    } else if (picks.length && (ev.key === 'Tab' || (ev.key === 'Enter' && !(picks[picked].command && picks[picked].command === box.value)))) {
      ev.preventDefault();
      take(picks[picked]);
    } else if (ev.key === 'Escape') {
      hint.hidden = true;
      picks = [];
    } else if (ev.key === 'Enter' && !ev.shiftKey) {
      ev.preventDefault();
      submit();
    }
  });
  const send = h('button', { class: 'send', title: 'Send', 'aria-label': 'Send', html: icons.send, disabled: true, onclick: submit });
  const bolt = h('button', { class: 'icon', title: 'Shortcuts', 'aria-label': 'Shortcuts', html: icons.bolt, onclick: () => {
    const model = getModel();
    popover(bolt, (model.app.shortcuts || []).filter((s) => s.type === 'global').map((s) => ({
      label: s.name, note: model.app.name, run: () => api('shortcut', { user: model.me, callback_id: s.callback_id }, true) })));
  } });
  const root = h('div', { class: 'composer' }, hint, h('div', { class: 'box' }, box, h('div', { class: 'tools' }, bolt,
    h('span', { class: 'muted tip' }, 'Enter sends · Shift+Enter new line · / commands · @ people'), send)));
  root.setPlaceholder = (text) => { box.placeholder = text; };
  root.setPlaceholder(placeholder);
  root.focusBox = () => box.focus();
  return root;
}
