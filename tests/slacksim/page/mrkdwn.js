// Text to HTML. Everything is escaped first; only what this file adds is markup.
import { withEmoji } from '/emoji.js';

export const esc = (s) => String(s ?? '').replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }[c]));
const unescapeWire = (s) => s.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');

export function nameOf(model, id) {
  const user = model.users[id];
  return user ? (user.profile && user.profile.display_name) || user.real_name || user.name || id : id;
}
const safeUrl = (url) => (/^(https?:|mailto:|slack:|tel:)/i.test(url) ? url : '#');

export const mentionUser = (model, id) => `<span class="mention${id === model.me ? ' to-me' : ''}" data-user="${esc(id)}">@${esc(nameOf(model, id))}</span>`;
export function mentionChannel(model, id, fallback) {
  const channel = model.channels.find((c) => c.id === id);
  return `<a class="mention" href="#" data-channel="${esc(id)}">#${esc(channel ? channel.name : fallback || id)}</a>`;
}
export const mentionGroup = (model, id, fallback) => {
  const group = (model.usergroups || {})[id];
  const mine = group && group.users.includes(model.me);
  return `<span class="mention${mine ? ' to-me' : ''}">@${esc(group ? group.handle : fallback || id)}</span>`;
};
export const anchor = (url, label) => `<a href="${esc(safeUrl(url))}" target="_blank" rel="noreferrer noopener">${label}</a>`;

export function formatDate(ts, format, fallback) {
  const d = new Date(Number(ts) * 1000);
  if (Number.isNaN(d.getTime())) return fallback || '';
  const day = d.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' });
  const short = d.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  const time = d.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  const pretty = d.toDateString() === new Date().toDateString() ? 'today' : day;
  return format.replace(/\{(\w+)\}/g, (all, name) => ({
    date: day, date_num: d.toISOString().slice(0, 10), date_short: short, date_long: day, date_pretty: pretty, date_short_pretty: pretty,
    date_long_pretty: pretty, time, time_secs: d.toLocaleTimeString('en-GB'), ago: `${Math.max(0, Math.round((Date.now() - d) / 60000))} min ago`,
  }[name] || all));
}

// <...> of Slack's wire form, s without the brackets
function token(model, s) {
  const bar = s.indexOf('|');
  const id = bar < 0 ? s : s.slice(0, bar);
  const label = bar < 0 ? '' : s.slice(bar + 1);
  if (id[0] === '@') return mentionUser(model, id.slice(1));
  if (id[0] === '#') return mentionChannel(model, id.slice(1), label);
  if (id.startsWith('!subteam^')) return mentionGroup(model, id.slice(9), label.replace(/^@/, ''));
  if (id.startsWith('!date^')) {
    const [, ts, format, link] = id.split('^');
    const text = esc(formatDate(ts, unescapeWire(format || ''), unescapeWire(label)));
    return `<time title="${esc(new Date(Number(ts) * 1000).toString())}">${link ? anchor(link, text) : text}</time>`;
  }
  if (id[0] === '!') return `<span class="mention to-me">@${esc(label || id.slice(1))}</span>`;
  return anchor(unescapeWire(id), esc(unescapeWire(label || id)));
}

// Keeps finished HTML out of the way of the next replacement.
class Vault {
  constructor() { this.kept = []; }
  keep(html) { this.kept.push(html); return `\u0000${this.kept.length - 1}\u0000`; }
  open(text) {
    let out = text;
    for (let i = 0; i < 4 && out.includes('\u0000'); i++) out = out.replace(/\u0000(\d+)\u0000/g, (_, n) => this.kept[Number(n)]);
    return out;
  }
}

function inline(text, vault) {
  const around = (mark, tag) => new RegExp(`(^|[\\s(\\[{"'\\u0000.,:;!?*_~-])\\${mark}(?=\\S)([^\\n]*?\\S)\\${mark}(?=$|[\\s)\\]}"'\\u0000.,:;!?*_~-])`, 'g');
  let out = text;
  out = out.replace(around('*'), '$1<b>$2</b>');
  out = out.replace(around('_'), '$1<i>$2</i>');
  out = out.replace(around('~'), '$1<s>$2</s>');
  return vault ? out : out;
}

const escText = (s) => esc(unescapeWire(s));

export function mrkdwn(model, wire, { verbatim = false } = {}) {
  const vault = new Vault();
  let text = String(wire ?? '').replace(/\u0000/g, '');
  const code = (s) => escText(s.replace(/<([^>]+)>/g, (_, t) => (t.includes('|') ? t.slice(t.indexOf('|') + 1) : t)));
  text = text.replace(/```\n?([\s\S]*?)\n?```\n?/g, (_, s) => vault.keep(`<pre>${code(s)}</pre>`));
  text = text.replace(/`([^`\n]+)`/g, (_, s) => vault.keep(`<code>${code(s)}</code>`));
  text = text.replace(/<([^<>\n]+)>/g, (_, s) => vault.keep(token(model, s)));
  if (!verbatim) text = text.replace(/\bhttps?:\/\/[^\s<>"'`\u0000]+[^\s<>"'`\u0000.,;:!?)]/g, (url) => vault.keep(anchor(unescapeWire(url), escText(url))));
  text = inline(escText(text), vault);
  text = withEmoji(text);
  text = text.split('\n').reduce((all, line) => {
    const quote = /^&gt;\s?(.*)$/.exec(line);
    if (quote) {
      if (all.quote) all.html += `<br>${quote[1]}`;
      else { all.html += `<blockquote>${quote[1]}`; all.quote = true; all.first = true; }
    } else {
      if (all.quote) all.html += '</blockquote>';
      else if (!all.first) all.html += '\n';
      all.html += line;
      all.quote = false;
    }
    all.first = false;
    return all;
  }, { html: '', quote: false, first: true });
  return vault.open(text.html + (text.quote ? '</blockquote>' : ''));
}

export const plain = (text, emojiToo = true) => (emojiToo ? withEmoji(esc(text)) : esc(text));

export function textObject(model, text) {
  if (!text) return '';
  if (typeof text === 'string') return mrkdwn(model, text);
  return text.type === 'mrkdwn' ? mrkdwn(model, text.text, { verbatim: text.verbatim }) : plain(text.text, text.emoji !== false);
}

// The markdown block: headings, lists, quotes, fences, emphasis, links.
export function markdown(text) {
  const vault = new Vault();
  const fenced = String(text ?? '').replace(/```[a-z]*\n([\s\S]*?)```/g, (_, s) => vault.keep(`<pre>${esc(s.replace(/\n$/, ''))}</pre>`));
  const span = (s) => {
    let out = s.replace(/`([^`]+)`/g, (_, c) => vault.keep(`<code>${esc(c)}</code>`));
    out = out.replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, (_, label, url) => vault.keep(anchor(url, esc(label))));
    out = esc(out);
    out = out.replace(/\*\*([^*]+)\*\*/g, '<b>$1</b>').replace(/(^|\W)[*_]([^*_]+)[*_](?=\W|$)/g, '$1<i>$2</i>').replace(/~~([^~]+)~~/g, '<s>$1</s>');
    return withEmoji(out);
  };
  const html = [];
  let list = null;
  const close = () => { if (list) { html.push(`</${list}>`); list = null; } };
  for (const line of fenced.split('\n')) {
    const heading = /^(#{1,6})\s+(.*)$/.exec(line);
    const item = /^\s*([-*+]|\d+\.)\s+(.*)$/.exec(line);
    const quote = /^>\s?(.*)$/.exec(line);
    if (item) {
      const tag = /\d/.test(item[1]) ? 'ol' : 'ul';
      if (list !== tag) { close(); html.push(`<${tag}>`); list = tag; }
      html.push(`<li>${span(item[2])}</li>`);
      continue;
    }
    close();
    if (heading) html.push(`<h${Math.min(6, heading[1].length + 2)}>${span(heading[2])}</h${Math.min(6, heading[1].length + 2)}>`);
    else if (quote) html.push(`<blockquote>${span(quote[1])}</blockquote>`);
    else if (/^(-{3,}|\*{3,})$/.test(line)) html.push('<hr>');
    else if (line.trim()) html.push(`<p>${span(line)}</p>`);
  }
  close();
  return vault.open(html.join(''));
}
