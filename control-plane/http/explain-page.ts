/**
 * A page that asks the API what a call to a number would do, and shows the steps and their drawing. One static HTML text:
 * the key is typed in, stays in the page's memory, and goes to this server alone. Whatever the API gives is shown as
 * text; the drawing is SVG of this server (picture.ts), and no script but the page's own may run.
 */
import { createHash } from 'node:crypto';

const style = `
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--line:#dfe4ea;--bg:#fff;--raised:#f6f8fa;--yes:#0b6e4f;--no:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa6b5;--line:#2c3542;--bg:#12161c;--raised:#1a2029;--yes:#4cc38a;--no:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;color:var(--ink);background:var(--bg);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;overflow-wrap:anywhere}
main{max-width:74rem;margin:0 auto;padding:2rem 1.25rem 6rem}h1{font-size:1.9rem;line-height:1.2;margin:0 0 1rem}h2{font-size:1.2rem;margin:2rem 0 .6rem}
a{color:inherit}form{display:grid;grid-template-columns:repeat(auto-fill,minmax(14rem,1fr));gap:.8rem 1rem;align-items:end}
label{display:block;font-size:.9rem;color:var(--soft)}input,select,button{display:block;width:100%;font:inherit;color:inherit;background:var(--raised);border:1px solid var(--line);border-radius:.4rem;padding:.45rem .6rem;margin-top:.15rem;min-height:2.6rem}
button{cursor:pointer;font-weight:600;border-color:var(--soft)}button:disabled,select:disabled{opacity:.5;cursor:default}
:focus-visible{outline:2px solid var(--yes);outline-offset:1px}
[role=alert]{color:var(--no);margin:1rem 0 0;white-space:pre-line}[role=alert]:empty{display:none}
.both{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:2.5rem}.drawing{overflow:auto}.drawing svg{display:block;margin:0 auto}
ol{padding-left:1.4rem;margin:0}ol>li{margin:0 0 .9rem}ul{margin:.15rem 0 0;padding-left:1.1rem;color:var(--soft);font-size:.92rem}
.reasons{list-style:none;padding:0}.reasons li::before{content:"+ ";color:var(--yes);font-weight:600}.reasons li.no::before{content:"– ";color:var(--no)}
pre{background:var(--raised);border:1px solid var(--line);border-radius:.4rem;padding:.7rem .85rem;overflow-x:auto;font:.85rem/1.5 ui-monospace,Menlo,"DejaVu Sans Mono",monospace}summary{cursor:pointer;margin-top:1rem}
@media(max-width:52rem){.both{grid-template-columns:minmax(0,1fr);gap:0}}
`;

const script = `
const $ = (id) => document.getElementById(id);
const add = (parent, name, text) => { const element = document.createElement(name); if (text !== undefined) element.textContent = text; parent.append(element); return element; };
const fail = (text) => { $('problem').textContent = text; };
async function ask(path) {
  const response = await fetch('/api/v1' + path, { headers: { authorization: 'Bearer ' + $('key').value.trim() }, cache: 'no-store' }).catch(() => { throw new Error('Frontdesk cannot be reached.'); });
  const body = await response.json();
  if (!response.ok) throw new Error([body.detail, ...(body.problems ?? []).map(({ path, message }) => path + ': ' + message)].join('\\n'));
  return body;
}
async function all(path) {
  const items = [];
  for (let cursor = ''; cursor !== null;) {
    const page = await ask(path + '?limit=200' + (cursor === '' ? '' : '&cursor=' + encodeURIComponent(cursor)));
    items.push(...page.items);
    cursor = page.next;
  }
  return items;
}
async function fill(select, items, text) {
  select.replaceChildren();
  for (const item of items) add(select, 'option', text(item)).value = item.id;
  select.disabled = items.length === 0;
}
async function numbers() {
  await fill($('number'), $('account').value === '' ? [] : await all('/accounts/' + $('account').value + '/numbers'), ({ e164, name }) => e164 + ' ' + name);
  $('explain').disabled = $('number').disabled;
}
const guarded = (work) => async (event) => {
  event.preventDefault();
  fail('');
  try { await work(); } catch (error) {
    $('told').hidden = true;
    fail(error.message);
  }
};
$('key').addEventListener('change', guarded(async () => {
  await fill($('account'), [], String);
  await fill($('number'), [], String);
  $('explain').disabled = true;
  await fill($('account'), await all('/accounts'), ({ name }) => name);
  await numbers();
}));
$('account').addEventListener('change', guarded(numbers));
$('form').addEventListener('submit', guarded(async () => {
  const asked = new URLSearchParams();
  const caller = $('caller').value.replace(/[\\s().-]/g, '');
  if (caller !== '') asked.set('caller', caller);
  if ($('at').value !== '') asked.set('at', new Date($('at').value).toISOString());
  const told = await ask('/accounts/' + $('account').value + '/numbers/' + $('number').value + '/explain?' + asked);
  const steps = $('steps');
  steps.replaceChildren();
  for (const { id, why, legs, queue, next } of told.steps) {
    const item = add(steps, 'li');
    add(item, 'strong', id);
    if (why.length > 0) add(item, 'span', ': ' + why.join('; '));
    const list = add(item, 'ul');
    for (const leg of legs) {
      const shown = [leg.shows.name, leg.shows.number].filter((part) => part !== '').join(' ') || 'no caller ID';
      add(list, 'li', [leg.user, leg.label, leg.extension === null ? leg.number : 'extension ' + leg.extension, leg.ringMs / 1000 + ' s' + (leg.delayMs === 0 ? '' : ' from ' + leg.delayMs / 1000 + ' s on'), 'shows ' + shown, leg.dialExtension === null ? null : 'the extension ' + leg.dialExtension.digits + ' is dialled ' + leg.dialExtension.delayMs / 1000 + ' s after the answer', leg.key === null ? 'an answer accepts' : leg.key === 'any' ? 'any key accepts' : 'key ' + leg.key + ' accepts', leg.recorded ? 'the call is recorded' : null].filter((part) => part !== null).join(', '));
    }
    for (const { afterMs, agents, of } of queue?.tiers ?? []) add(list, 'li', [afterMs === 0 ? '' : 'after ' + afterMs / 1000 + ' s', agents.join(', '), of === agents.length ? '' : 'and ' + (of - agents.length) + ' more'].filter((part) => part !== '').join(' '));
    for (const { on, to } of next) add(list, 'li', on + ' → ' + (to ?? (on === 'accepted' ? 'connected' : 'that phone')));
  }
  $('reasons').replaceChildren();
  for (const { subject, taken, why } of told.reasons) add($('reasons'), 'li', subject + ': ' + why).className = taken ? '' : 'no';
  const { rate } = told;
  $('rate').textContent = rate === null ? 'The account has no prices.' : rate.lowest === null ? 'No price is known.' : 'A minute costs ' + rate.currency + ' ' + rate.lowest + (rate.lowest === rate.highest ? '' : ' to ' + rate.highest) + (rate.unknown.length === 0 ? '.' : '; no price is known for ' + rate.unknown.join(', ') + '.');
  const drawn = new DOMParser().parseFromString(told.picture, 'image/svg+xml').documentElement;
  $('drawing').replaceChildren(...(drawn.localName === 'svg' ? [document.importNode(drawn, true)] : []));
  $('text').textContent = told.text;
  $('diagram').textContent = told.diagram;
  $('told').hidden = false;
  const first = $('drawing').querySelector('rect')?.getBBox();
  if (first !== undefined) $('drawing').scrollLeft = first.x + (first.width - $('drawing').clientWidth) / 2;
}));
`;

const sha256 = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

export const explainPolicy = `default-src 'none'; style-src ${sha256(style)}; script-src ${sha256(script)}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

export const explainPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>What a call would do</title><style>${style}</style></head>
<body><main><h1>What a call would do</h1>
<form id="form" autocomplete="off"><label>API key<input id="key" type="password" autocomplete="off" required spellcheck="false" placeholder="fd_…"></label>
<label>Account<select id="account" disabled></select></label><label>Number that is dialled<select id="number" disabled></select></label>
<label>Caller’s number, empty for none<input id="caller" type="tel" placeholder="+12025550187"></label><label>When, by this computer’s clock; empty for now<input id="at" type="datetime-local"></label><button id="explain" disabled>Explain</button></form>
<p id="problem" role="alert"></p>
<div id="told" hidden aria-live="polite"><h2>Drawing</h2><div class="drawing" id="drawing"></div><div class="both"><section><h2>Steps</h2><ol id="steps"></ol></section><section><h2>Price</h2><p id="rate"></p><h2>Why</h2><ul class="reasons" id="reasons"></ul></section></div>
<details><summary>As text</summary><pre id="text"></pre></details><details><summary>As a Mermaid flowchart</summary><pre id="diagram"></pre></details></div>
<p><a href="/api/docs">The API</a></p></main><script>${script}</script></body></html>
`;
