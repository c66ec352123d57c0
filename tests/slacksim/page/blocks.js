// Block Kit to DOM. `act` is what elements do: { click(element, block), select(element, block, value), suggest(...) }.
import { anchor, esc, formatDate, markdown, mentionChannel, mentionGroup, mentionUser, mrkdwn, plain, textObject } from '/mrkdwn.js';
import { emoji } from '/emoji.js';
import { listbox } from '/listbox.js';

export function h(tag, props = {}, ...children) {
  const el = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === 'html') el.innerHTML = value;
    else if (key.startsWith('on')) el.addEventListener(key.slice(2), value);
    else if (key === 'class') el.className = value;
    else if (key in el && typeof value !== 'string') el[key] = value;
    else el.setAttribute(key, value === true ? '' : value);
  }
  el.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return el;
}

/* --- rich text -------------------------------------------------------------------------------------------------------------- */
function leaf(model, e) {
  const style = e.style || {};
  let html = '';
  switch (e.type) {
    case 'text': html = style.code ? esc(e.text) : plain(e.text).replace(/\n/g, '<br>'); break;
    case 'link': html = anchor(e.url, esc(e.text || e.url)); break;
    case 'user': html = mentionUser(model, e.user_id); break;
    case 'usergroup': html = mentionGroup(model, e.usergroup_id); break;
    case 'channel': html = mentionChannel(model, e.channel_id); break;
    case 'broadcast': html = `<span class="mention to-me">@${esc(e.range)}</span>`; break;
    case 'emoji': html = emoji[e.name] || `:${esc(e.name)}:`; break;
    case 'date': html = `<time>${esc(formatDate(e.timestamp, e.format || '{date}', e.fallback))}</time>`; break;
    case 'color': html = `<span class="swatch" style="background:${esc(e.value)}"></span>${esc(e.value)}`; break;
    default: html = esc(e.text || '');
  }
  if (style.code) html = `<code>${html}</code>`;
  if (style.bold) html = `<b>${html}</b>`;
  if (style.italic) html = `<i>${html}</i>`;
  if (style.strike) html = `<s>${html}</s>`;
  return html;
}

export function richPart(model, part) {
  const inner = () => (part.elements || []).map((e) => leaf(model, e)).join('');
  switch (part.type) {
    case 'rich_text_preformatted':
      return h('pre', { html: (part.elements || []).map((e) => (e.type === 'link' ? leaf(model, e) : esc(e.text || ''))).join('') });
    case 'rich_text_quote': return h('blockquote', { html: inner() });
    case 'rich_text_list': {
      const list = h(part.style === 'ordered' ? 'ol' : 'ul', { class: `indent-${part.indent || 0}` });
      if (part.style === 'ordered' && part.offset) list.start = part.offset + 1;
      for (const item of part.elements || []) list.append(h('li', { html: (item.elements || []).map((e) => leaf(model, e)).join('') }));
      return list;
    }
    default: return h('div', { class: 'rt', html: inner() });
  }
}

/* --- interactive elements --------------------------------------------------------------------------------------------------- */
export function confirmDialog(model, confirm) {
  return new Promise((resolve) => {
    const done = (yes) => { veil.remove(); document.removeEventListener('keydown', onKey, true); resolve(yes); };
    const onKey = (e) => { if (e.key === 'Escape') { e.stopPropagation(); done(false); } };
    const yes = h('button', { class: `btn ${confirm.style === 'danger' ? 'danger' : 'primary'}`, onclick: () => done(true) }, (confirm.confirm && confirm.confirm.text) || 'Yes');
    const veil = h('div', { class: 'veil', onclick: (e) => { if (e.target === veil) done(false); } },
      h('div', { class: 'dialog small', role: 'alertdialog', 'aria-modal': 'true' },
        h('header', {}, h('h2', { html: plain((confirm.title || {}).text || 'Are you sure?') })),
        h('div', { class: 'body', html: textObject(model, confirm.text) }),
        h('footer', {}, h('button', { class: 'btn', onclick: () => done(false) }, (confirm.deny && confirm.deny.text) || 'No'), yes)));
    document.getElementById('pop-root').append(veil);
    document.addEventListener('keydown', onKey, true);
    yes.focus();
  });
}

async function busy(el, work) {
  el.classList.add('busy');
  el.disabled = true;
  try { await work(); } finally { el.classList.remove('busy'); el.disabled = false; }
}

async function guarded(model, element, el, work) {
  if (element.confirm && !(await confirmDialog(model, element.confirm))) return false;
  await busy(el, work);
  return true;
}

function button(ctx, e, block) {
  const el = h(e.url ? 'a' : 'button', {
    class: `btn ${e.style || ''}`, title: e.accessibility_label || '', html: plain(e.text.text),
    onclick: () => guarded(ctx.model, e, el, () => ctx.act.click(e, block)),
  });
  if (e.url) { el.href = e.url; el.target = '_blank'; el.rel = 'noreferrer noopener'; el.role = 'button'; }
  return el;
}

const optionsOf = (e) => e.options || (e.option_groups || []).flatMap((g) => g.options);
const optionText = (o) => (o && o.text ? o.text.text : '');

function pickList(ctx, e) {
  if (e.type.includes('users')) return Object.entries(ctx.model.users).filter(([, u]) => !u.deleted && !u.is_bot).map(([id, u]) => ({ value: id, text: { text: u.real_name || id } }));
  if (e.type.includes('channels') || e.type.includes('conversations')) return ctx.model.channels.map((c) => ({ value: c.id, text: { text: `#${c.name}` } }));
  return null;
}

function currentValue(ctx, e, block) {
  const state = ctx.stateOf(e, block);
  if (!state) return undefined;
  if (state.selected_option !== undefined) return state.selected_option ? state.selected_option.value : '';
  if (state.selected_options) return state.selected_options.map((o) => o.value);
  for (const key of ['selected_user', 'selected_channel', 'selected_conversation', 'selected_date', 'selected_time', 'value', 'selected_users', 'selected_channels', 'selected_conversations']) {
    if (state[key] !== undefined) return state[key];
  }
  return undefined;
}

function select(ctx, e, block) {
  const chosen = currentValue(ctx, e, block);
  const initial = chosen !== undefined && chosen !== null ? chosen
    : (e.initial_option && e.initial_option.value) || e.initial_user || e.initial_channel || e.initial_conversation || '';
  const option = (o) => h('option', { value: o.value, selected: o.value === initial }, optionText(o));
  const el = h('select', { class: 'menu', 'aria-label': e.placeholder ? e.placeholder.text : 'Select' },
    h('option', { value: '', disabled: true, hidden: true, selected: !initial }, e.placeholder ? e.placeholder.text : 'Select an item'));
  if (e.option_groups) for (const g of e.option_groups) el.append(h('optgroup', { label: optionText({ text: g.label }) }, g.options.map(option)));
  else el.append(...(pickList(ctx, e) || optionsOf(e)).map(option));
  el.addEventListener('change', async () => {
    if (!(await guarded(ctx.model, e, el, () => ctx.act.select(e, block, el.value)))) el.value = initial;
  });
  return el;
}

function multiSelect(ctx, e, block) {
  const all = pickList(ctx, e) || optionsOf(e);
  const start = currentValue(ctx, e, block) || (e.initial_options || []).map((o) => o.value) || [];
  const chosen = new Set(start.length ? start : e.initial_users || e.initial_channels || e.initial_conversations || []);
  const label = () => all.filter((o) => chosen.has(o.value)).map(optionText).join(', ') || (e.placeholder ? e.placeholder.text : 'Select…');
  const summary = h('summary', {}, label());
  const box = h('details', { class: 'menu multi' }, summary, h('div', { class: 'choices' }, all.map((o) => h('label', {},
    h('input', { type: 'checkbox', checked: chosen.has(o.value), onchange: (ev) => {
      if (ev.target.checked) chosen.add(o.value); else chosen.delete(o.value);
      summary.textContent = label();
      ctx.act.select(e, block, [...chosen]);
    } }), optionText(o)))));
  return box;
}

function externalSelect(ctx, e, block) {
  const many = e.type.startsWith('multi_');
  const state = ctx.stateOf(e, block) || {};
  const one = state.selected_option === undefined ? e.initial_option : state.selected_option;
  const field = {
    placeholder: e.placeholder ? e.placeholder.text : 'Select an item',
    label: block.label ? block.label.text : e.placeholder ? e.placeholder.text : 'Select',
    least: e.min_query_length ?? 3,
    many,
    optional: Boolean(block.optional),
    chosen: many ? state.selected_options || e.initial_options || [] : one ? [one] : [],
  };
  const el = listbox(field, (typed) => ctx.act.suggest(e, block, typed), async (chosen) => {
    const value = many ? chosen : chosen[0] || { selected_option: null };
    if (e.confirm && !(await confirmDialog(ctx.model, e.confirm))) el.replaceWith(externalSelect(ctx, e, block));
    else ctx.act.select(e, block, value);
  });
  return el;
}

function choices(ctx, e, block, type) {
  const name = `r${Math.random().toString(36).slice(2)}`;
  const now = currentValue(ctx, e, block);
  const initial = type === 'radio'
    ? [now !== undefined ? now : e.initial_option && e.initial_option.value]
    : now || (e.initial_options || []).map((o) => o.value);
  const box = h('div', { class: 'choice-list' });
  for (const o of e.options) {
    box.append(h('label', { class: 'choice' },
      h('input', { type, name, value: o.value, checked: initial.includes(o.value), onchange: () => {
        const picked = [...box.querySelectorAll('input:checked')].map((i) => i.value);
        ctx.act.select(e, block, type === 'radio' ? picked[0] : picked);
      } }),
      h('span', {}, h('span', { html: textObject(ctx.model, o.text) }),
        o.description ? h('small', { class: 'muted', html: textObject(ctx.model, o.description) }) : null)));
  }
  return box;
}

function picker(ctx, e, block, type, initial) {
  const now = currentValue(ctx, e, block);
  return h('input', { class: 'menu', type, value: now ?? initial ?? '', title: e.placeholder ? e.placeholder.text : '', onchange: (ev) => ctx.act.select(e, block, ev.target.value) });
}

function textInput(ctx, e, block, type) {
  const now = currentValue(ctx, e, block);
  const props = {
    class: 'field', placeholder: e.placeholder ? e.placeholder.text : '', 'aria-label': block.label ? block.label.text : 'Text',
    oninput: (ev) => ctx.act.select(e, block, ev.target.value),
  };
  const el = e.multiline || e.type === 'rich_text_input' ? h('textarea', { ...props, rows: '4' }) : h('input', { ...props, type, autocomplete: 'off' });
  el.value = now ?? e.initial_value ?? '';
  if (e.max_length) el.maxLength = e.max_length;
  if (e.focus_on_load) el.autofocus = true;
  return el;
}

export function popover(anchorEl, items) {
  document.querySelectorAll('.popover').forEach((p) => p.remove());
  const close = () => { pop.remove(); document.removeEventListener('click', onAway, true); document.removeEventListener('keydown', onKey, true); };
  const onAway = (ev) => { if (!pop.contains(ev.target)) close(); };
  const onKey = (ev) => { if (ev.key === 'Escape') { ev.stopPropagation(); close(); } };
  const pop = h('div', { class: 'popover', role: 'menu' }, items.map((item) => (item === '-' ? h('hr')
    : item instanceof Node ? item
      : h('button', { role: 'menuitem', class: item.danger ? 'danger' : '', onclick: () => { close(); item.run(); } },
        h('span', { html: item.html || plain(item.label) }), item.note ? h('small', { class: 'muted' }, item.note) : null))));
  document.getElementById('pop-root').append(pop);
  const a = anchorEl.getBoundingClientRect();
  const p = pop.getBoundingClientRect();
  pop.style.left = `${Math.max(8, Math.min(a.left, window.innerWidth - p.width - 8))}px`;
  pop.style.top = `${a.bottom + p.height + 8 < window.innerHeight ? a.bottom + 4 : Math.max(8, a.top - p.height - 4)}px`;
  setTimeout(() => { document.addEventListener('click', onAway, true); document.addEventListener('keydown', onKey, true); });
  pop.closePop = close;
  return pop;
}

function overflow(ctx, e, block) {
  const el = h('button', { class: 'btn dots', 'aria-label': 'More', onclick: () => popover(el, e.options.map((o) => ({
    label: optionText(o), note: o.description ? o.description.text : '',
    run: () => { if (o.url) window.open(o.url, '_blank', 'noopener'); guarded(ctx.model, e, el, () => ctx.act.select(e, block, o.value)); },
  }))) }, '⋯');
  return el;
}

const image = (e) => h('span', { class: 'image', role: 'img', 'aria-label': e.alt_text, title: e.image_url || '' },
  h('span', { class: 'image-mark', 'aria-hidden': 'true' }, '🖼'), e.alt_text);

export function element(ctx, e, block) {
  switch (e.type) {
    case 'button': case 'workflow_button': case 'icon_button': return button(ctx, e, block);
    case 'feedback_buttons': return h('span', { class: 'row' }, '👍', '👎');
    case 'static_select': case 'users_select': case 'conversations_select': case 'channels_select': return select(ctx, e, block);
    case 'external_select': case 'multi_external_select': return externalSelect(ctx, e, block);
    case 'multi_static_select': case 'multi_users_select': case 'multi_conversations_select': case 'multi_channels_select': return multiSelect(ctx, e, block);
    case 'overflow': return overflow(ctx, e, block);
    case 'checkboxes': return choices(ctx, e, block, 'checkbox');
    case 'radio_buttons': return choices(ctx, e, block, 'radio');
    case 'datepicker': return picker(ctx, e, block, 'date', e.initial_date);
    case 'timepicker': return picker(ctx, e, block, 'time', e.initial_time);
    case 'datetimepicker': return picker(ctx, e, block, 'datetime-local', '');
    case 'plain_text_input': case 'rich_text_input': return textInput(ctx, e, block, 'text');
    case 'email_text_input': return textInput(ctx, e, block, 'email');
    case 'url_text_input': return textInput(ctx, e, block, 'url');
    case 'number_input': return textInput(ctx, e, block, 'number');
    case 'image': return image(e);
    case 'mrkdwn': case 'plain_text': return h('span', { html: textObject(ctx.model, e) });
    default: return h('span', { class: 'unknown' }, `[${e.type}]`);
  }
}

/* --- blocks ---------------------------------------------------------------------------------------------------------------------- */
function cell(model, c) {
  if (c.type === 'rich_text') return h('td', {}, (c.elements || []).map((p) => richPart(model, p)));
  return h('td', { class: c.type === 'raw_number' ? 'number' : '' }, String(c.text ?? c.value ?? ''));
}

function table(ctx, b) {
  const rows = (b.rows || []).map((row) => h('tr', {}, row.map((c) => cell(ctx.model, c))));
  return h('div', { class: 'b-table' }, b.caption ? h('div', { class: 'muted' }, b.caption) : null, h('table', {}, rows));
}

function input(ctx, b) {
  const error = ctx.errors && ctx.errors[b.block_id];
  return h('div', { class: `b-input${error ? ' bad' : ''}`, 'data-block': b.block_id },
    h('label', { class: 'caption' }, h('span', { html: plain(b.label.text) }), b.optional ? h('span', { class: 'muted' }, ' (optional)') : null),
    element(ctx, b.element, b),
    b.hint ? h('div', { class: 'hint muted', html: plain(b.hint.text) }) : null,
    h('div', { class: 'error' }, error || ''));
}

export function block(ctx, b) {
  const { model } = ctx;
  switch (b.type) {
    case 'section': return h('div', { class: 'b-section' },
      h('div', { class: 'b-main' },
        b.text ? h('div', { class: 'text', html: textObject(model, b.text) }) : null,
        b.fields ? h('div', { class: 'fields' }, b.fields.map((f) => h('div', { class: 'text', html: textObject(model, f) }))) : null),
      b.accessory ? h('div', { class: 'accessory' }, element(ctx, b.accessory, b)) : null);
    case 'header': return h('div', { class: 'b-header', html: plain(b.text.text) });
    case 'divider': return h('hr', { class: 'b-divider' });
    case 'context': return h('div', { class: 'b-context' }, b.elements.map((e) => element(ctx, e, b)));
    case 'actions': case 'context_actions': return h('div', { class: 'b-actions' }, b.elements.map((e) => element(ctx, e, b)));
    case 'input': return input(ctx, b);
    case 'image': return h('figure', { class: 'b-image' }, b.title ? h('figcaption', { html: plain(b.title.text) }) : null, image(b));
    case 'rich_text': return h('div', { class: 'b-rich' }, b.elements.map((p) => richPart(model, p)));
    case 'markdown': return h('div', { class: 'b-markdown', html: markdown(b.text) });
    case 'table': case 'data_table': return table(ctx, b);
    case 'alert': return h('div', { class: `b-alert ${b.level || 'default'}`, html: textObject(model, b.text) });
    case 'card': return h('div', { class: 'b-card' }, ['title', 'subtitle', 'body'].filter((k) => b[k]).map((k) => h('div', { class: k, html: textObject(model, b[k]) })),
      b.actions ? h('div', { class: 'b-actions' }, b.actions.map((e) => element(ctx, e, b))) : null);
    case 'carousel': return h('div', { class: 'b-carousel' }, b.elements.map((c) => block(ctx, c)));
    case 'container': return h('details', { class: 'b-container', open: true }, h('summary', { html: textObject(model, b.title) }), blocks(ctx, b.child_blocks));
    case 'video': case 'file': return h('div', { class: 'image' }, `[${b.type}] ${(b.title && b.title.text) || b.external_id || ''}`);
    default: return h('div', { class: 'unknown' }, `[${b.type}] ${(b.title && (b.title.text || b.title)) || ''}`);
  }
}

export const blocks = (ctx, list) => h('div', { class: 'blocks' }, (list || []).map((b) => block(ctx, b)));

export function attachment(ctx, a) {
  const { model } = ctx;
  const color = { good: '#2e9e62', warning: '#dba514', danger: '#c93b3b' }[a.color] || (a.color ? `#${String(a.color).replace('#', '')}` : 'var(--line-strong)');
  const body = h('div', { class: 'a-body' },
    a.author_name ? h('div', { class: 'a-author' }, a.author_name) : null,
    a.title ? h('div', { class: 'a-title', html: a.title_link ? anchor(a.title_link, plain(a.title)) : plain(a.title) }) : null,
    a.text ? h('div', { class: 'text', html: mrkdwn(model, a.text) }) : null,
    a.fields ? h('div', { class: 'fields' }, a.fields.map((f) => h('div', { class: f.short ? '' : 'long' }, h('b', {}, f.title || ''), h('div', { html: mrkdwn(model, String(f.value ?? '')) })))) : null,
    a.blocks ? blocks(ctx, a.blocks) : null,
    a.footer || a.ts ? h('div', { class: 'a-footer muted' }, [a.footer, a.ts ? formatDate(a.ts, '{date_short} {time}') : ''].filter(Boolean).join(' · ')) : null);
  if (!body.childNodes.length && a.fallback) body.append(h('div', { html: mrkdwn(model, a.fallback) }));
  return h('div', { class: 'attachment' },
    a.pretext ? h('div', { class: 'text', html: mrkdwn(model, a.pretext) }) : null,
    h('div', { class: 'a-frame' }, h('span', { class: 'a-bar', style: `background:${color}` }), body));
}
