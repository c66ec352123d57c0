// Modals (views). What was typed is kept here until it is submitted, and stays where the same input stays.
import { blocks, h } from '/blocks.js';
import { closeStray } from '/listbox.js';
import { plain } from '/mrkdwn.js';
import { api } from '/app.js';

let shown = null; // { id, hash }
let typed = {}; // block_id -> action_id -> value

const typedOf = (block, action) => (typed[block] || {})[action];

function viewContext(model, view) {
  const where = { user: model.me, view_id: view.id };
  const keep = (e, b, value) => { (typed[b.block_id] = typed[b.block_id] || {})[e.action_id] = value; };
  const at = (e, b) => ({ ...where, action_id: e.action_id, block_id: b.block_id });
  return {
    model,
    errors: view._errors || {},
    stateOf(e, b) {
      const mine = typedOf(b.block_id, e.action_id);
      const state = ((((view.state || {}).values || {})[b.block_id]) || {})[e.action_id];
      if (mine === undefined) return state;
      if (e.type === 'external_select') return mine.value ? { selected_option: mine } : mine;
      if (e.type === 'multi_external_select') return { selected_options: mine };
      const options = e.options || (e.option_groups || []).flatMap((g) => g.options) || [];
      if (Array.isArray(mine)) return { selected_options: mine.map((v) => options.find((o) => o.value === v) || { value: v }), selected_users: mine };
      const option = options.find((o) => o.value === mine);
      return option ? { selected_option: option } : { value: mine, selected_date: mine, selected_time: mine };
    },
    act: {
      click: (e, b) => api('click', { ...at(e, b), ...(e.value !== undefined ? { value: e.value } : {}) }, true),
      select(e, b, value) {
        keep(e, b, value);
        if (b.type === 'input' && !b.dispatch_action) return null;
        return api('select', { ...at(e, b), value }, true);
      },
      suggest: (e, b, value) => api('suggest', { ...at(e, b), value }, true, true),
    },
  };
}

async function submit(model, view, button) {
  const values = {};
  for (const b of view.blocks) {
    if (b.type !== 'input') continue;
    const value = typedOf(b.block_id, b.element.action_id);
    if (value !== undefined) values[b.block_id] = { [b.element.action_id]: value };
  }
  button.classList.add('busy');
  button.disabled = true;
  try { await api('submit_view', { user: model.me, view_id: view.id, values }, true, true); } finally { button.classList.remove('busy'); button.disabled = false; }
}

function dialog(model, view, depth) {
  const close = (all) => { typed = {}; api('close_view', { user: model.me, view_id: view.id, all }); };
  const go = view.submit ? h('button', { class: 'btn primary', onclick: () => submit(model, view, go) }, view.submit.text) : null;
  return h('div', { class: 'veil' },
    h('div', { class: 'dialog', role: 'dialog', 'aria-modal': 'true', 'aria-label': view.title.text },
      h('header', {},
        h('span', { class: 'app-mark', 'aria-hidden': 'true' }),
        h('h2', { html: plain(view.title.text) }),
        h('button', { class: 'icon close', 'aria-label': 'Close', onclick: () => close(true) }, '✕')),
      h('div', { class: 'body' },
        view._error ? h('div', { class: 'b-alert error' }, view._error) : null,
        blocks(viewContext(model, view), view.blocks)),
      h('footer', {},
        h('span', { class: 'muted' }, model.app.name),
        h('button', { class: 'btn', onclick: () => close(false) }, (view.close && view.close.text) || (depth > 1 ? 'Back' : 'Cancel')), go)));
}

function showErrors(root, view) {
  root.querySelectorAll('.b-input').forEach((el) => {
    const error = (view._errors || {})[el.dataset.block];
    el.classList.toggle('bad', Boolean(error));
    el.querySelector('.error').textContent = error || '';
  });
}

// The field that somebody is in, when the app puts a new view in place of the one he looks at.
function whereFocused(root) {
  const el = document.activeElement;
  const at = el && root.contains(el) ? el.closest('.b-input') : null;
  return at ? { block: at.dataset.block, from: el.selectionStart, to: el.selectionEnd } : null;
}

function refocus(root, focused) {
  const at = focused && [...root.querySelectorAll('.b-input')].find((el) => el.dataset.block === focused.block);
  const el = at && at.querySelector('input, textarea, select');
  if (!el) return false;
  el.focus();
  if (el.setSelectionRange && typeof focused.from === 'number') el.setSelectionRange(focused.from, focused.to);
  return true;
}

export function renderModal(root, model) {
  const view = model.views[model.views.length - 1];
  if (!view) {
    if (shown) { root.replaceChildren(); shown = null; typed = {}; closeStray(); }
    return;
  }
  if (shown && shown.id === view.id && shown.hash === view.hash && shown.error === view._error && shown.me === model.me) {
    showErrors(root, view);
    return;
  }
  if (!shown || shown.root !== view.root_view_id) typed = {};
  const focused = shown && shown.id === view.id ? whereFocused(root) : null;
  shown = { id: view.id, hash: view.hash, root: view.root_view_id, error: view._error, me: model.me };
  root.replaceChildren(dialog(model, view, model.views.length));
  closeStray();
  showErrors(root, view);
  if (refocus(root, focused)) return;
  const first = root.querySelector('[autofocus]') || root.querySelector('.body input, .body textarea, .body select') || root.querySelector('footer .primary');
  if (first) first.focus({ preventScroll: true }); // what the form is about stands at its top
}

// The Home tab is a view without title and buttons.
export function home(model) {
  const view = model.home;
  if (!view) return h('div', { class: 'empty' }, h('p', {}, `${model.app.name} has not published a Home tab for you yet.`));
  return h('div', { class: 'home' }, blocks(viewContext(model, view), view.blocks));
}
