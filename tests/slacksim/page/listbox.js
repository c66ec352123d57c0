// A select whose options the app is asked for while somebody types: a combobox with a listbox of our own, since nothing that a browser
// draws by itself can be looked at by a test, or be photographed.
//
// Open (click, arrow, typing) → the app is asked → options, in groups or not; or one line: that it is being asked, that there is
// nothing, that it did not answer. An option is taken by click or Enter; Escape, Tab and looking away close it without.
import { plain } from '/mrkdwn.js';
import { h } from '/blocks.js';

const PATIENCE_MS = 120; // between two letters, before the app is asked
const GAP = 4;
let count = 0;
let open = null; // the one that is open

const text = (o) => (o && o.text ? o.text.text : '');

// Closes the list of a field that is gone.
export function closeStray() {
  if (open && !open.input.isConnected) open.close();
}

// field: { placeholder, label, least (letters before the app is asked), many, optional, chosen: [options] }
// ask(typed) → { options } or { option_groups }, or { error }; take([options]) when something else is chosen.
export function listbox(field, ask, take) {
  const id = `listbox${(count += 1)}`;
  let chosen = field.chosen;
  let options = [];
  let active = -1;
  let question = 0; // the newest; answers to older ones are dropped
  let timer = null;
  const list = h('div', { class: 'listbox', id, role: 'listbox', 'aria-label': field.label, 'aria-multiselectable': field.many ? 'true' : false });
  const input = h('input', {
    class: 'menu', role: 'combobox', type: 'text', autocomplete: 'off', spellcheck: 'false', placeholder: field.placeholder,
    'aria-label': field.label, 'aria-autocomplete': 'list', 'aria-haspopup': 'listbox', 'aria-expanded': 'false', 'aria-controls': id,
  });
  const chips = h('span', { class: 'chips' });
  const root = h('span', { class: 'combo' }, field.many ? chips : null, input);
  const self = { input, close };

  const isChosen = (o) => chosen.some((c) => c.value === o.value);
  const rest = () => { input.value = field.many ? '' : text(chosen[0]); };

  function drawChips() {
    chips.replaceChildren(...chosen.map((o) => h('span', { class: 'chip' }, text(o),
      h('button', { type: 'button', 'aria-label': `Remove ${text(o)}`, onclick: () => set(chosen.filter((c) => c !== o)) }, '✕'))));
  }

  function set(next) {
    chosen = next;
    drawChips();
    take(chosen);
  }

  function place() {
    const a = input.getBoundingClientRect();
    const below = window.innerHeight - a.bottom - 2 * GAP;
    const up = below < 160 && a.top > below;
    const within = (input.closest('.dialog .body') || document.documentElement).getBoundingClientRect();
    const right = Math.max(a.right, within.right - 4 * GAP);
    const width = Math.min(Math.max(a.width, 260), right - GAP);
    list.style.width = `${width}px`;
    list.style.left = `${Math.max(GAP, Math.min(a.left, right - width))}px`;
    list.style.maxHeight = `${Math.min(320, up ? a.top - 2 * GAP : below)}px`;
    list.style.top = up ? 'auto' : `${a.bottom + GAP}px`;
    list.style.bottom = up ? `${window.innerHeight - a.top + GAP}px` : 'auto';
  }

  function say(words, bad = false) {
    options = [];
    mark(-1);
    list.replaceChildren(h('div', { class: `listbox-note${bad ? ' bad' : ''}`, role: bad ? 'alert' : 'status' }, words));
    place();
  }

  function mark(index) {
    active = index;
    list.querySelectorAll('[role=option]').forEach((el, i) => el.classList.toggle('on', i === index));
    const el = index >= 0 ? list.querySelectorAll('[role=option]')[index] : null;
    if (el) {
      input.setAttribute('aria-activedescendant', el.id);
      el.scrollIntoView({ block: 'nearest' });
    } else {
      input.removeAttribute('aria-activedescendant');
    }
  }

  function row(o) {
    const index = options.push(o) - 1;
    return h('div', {
      class: 'listbox-option', role: 'option', id: `${id}-${index}`, 'aria-selected': String(isChosen(o)),
      onmousedown: (ev) => ev.preventDefault(), onmousemove: () => { if (active !== index) mark(index); }, onclick: () => pick(index),
    }, h('span', { html: plain(text(o)) }), o.description ? h('small', { class: 'muted' }, text({ text: o.description })) : null);
  }

  function show(answer) {
    options = [];
    const groups = (answer.option_groups || []).map((g, i) => h('div', { role: 'group', 'aria-labelledby': `${id}-g${i}` },
      h('div', { class: 'listbox-group', id: `${id}-g${i}` }, text({ text: g.label })), (g.options || []).map(row)));
    list.replaceChildren(...groups, ...(answer.options || []).map(row));
    if (!options.length) { say('No results'); return; }
    place();
    mark(Math.max(0, options.findIndex(isChosen)));
  }

  async function askNow(typed) {
    const mine = (question += 1);
    if (typed.length < field.least) {
      say(field.least - typed.length === 1 ? 'Type a letter to search' : `Type ${field.least - typed.length} letters to search`);
      return;
    }
    say('Loading…');
    const answer = await ask(typed);
    if (open !== self || mine !== question) return;
    if (answer.error || !(answer.options || answer.option_groups)) say('The options could not be loaded. Try again.', true);
    else show(answer);
  }

  function askSoon(typed) {
    clearTimeout(timer);
    timer = setTimeout(() => { if (open === self) askNow(typed); }, PATIENCE_MS);
  }

  const onAway = (ev) => { if (!root.contains(ev.target) && !list.contains(ev.target)) close(); };
  const onMove = (ev) => { if (!list.contains(ev.target)) place(); };

  function openList(typed) {
    if (open === self) return;
    if (open) open.close();
    open = self;
    document.getElementById('pop-root').append(list);
    input.setAttribute('aria-expanded', 'true');
    document.addEventListener('mousedown', onAway, true);
    document.addEventListener('scroll', onMove, true);
    window.addEventListener('resize', place);
    askNow(typed);
  }

  function close() {
    if (open !== self) return;
    open = null;
    clearTimeout(timer);
    list.remove();
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
    document.removeEventListener('mousedown', onAway, true);
    document.removeEventListener('scroll', onMove, true);
    window.removeEventListener('resize', place);
    // An emptied field that may be empty is empty now; in all others what was chosen stands there again.
    if (!field.many && field.optional && chosen.length && !input.value.trim()) set([]);
    rest();
  }

  function pick(index) {
    const o = options[index];
    if (!o) return;
    if (field.many) {
      set(isChosen(o) ? chosen.filter((c) => c.value !== o.value) : [...chosen, o]);
      list.querySelectorAll('[role=option]').forEach((el, i) => el.setAttribute('aria-selected', String(isChosen(options[i]))));
      return;
    }
    const same = isChosen(o);
    chosen = [o];
    input.value = text(o);
    close();
    if (!same) set([o]);
  }

  function onKey(ev) {
    const moves = { ArrowDown: 1, ArrowUp: -1 }[ev.key];
    if (moves) {
      ev.preventDefault();
      if (open !== self) openList('');
      else if (options.length) mark((active + moves + options.length) % options.length);
    } else if (open === self && ev.key === 'Enter') {
      ev.preventDefault();
      pick(active);
    } else if (open === self && ev.key === 'Escape') {
      ev.preventDefault();
      ev.stopPropagation();
      input.value = text(chosen[0]); // not emptied
      close();
    } else if (field.many && ev.key === 'Backspace' && !input.value && chosen.length) {
      set(chosen.slice(0, -1));
    }
  }

  input.addEventListener('keydown', onKey);
  input.addEventListener('click', () => { if (open !== self) { input.select(); openList(''); } });
  input.addEventListener('input', () => {
    if (open === self) askSoon(input.value.trim());
    else openList(input.value.trim());
  });
  input.addEventListener('blur', close);
  drawChips();
  rest();
  return root;
}
