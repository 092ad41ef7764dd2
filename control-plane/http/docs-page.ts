/** The OpenAPI document as a page for people: one static HTML text without scripts, readable on a phone. */
import { createHash } from 'node:crypto';
import type { OpenApi } from './openapi.ts';

/** Whether a schema says what is asked of a client, or what it is given: absence means another thing in each. */
type Side = 'asked' | 'given';

/** What is read here of a JSON schema or an OpenAPI object, which is plain JSON. */
interface Node {
  readonly [field: string]: unknown;
}

const style = `
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--line:#dfe4ea;--bg:#fff;--raised:#f6f8fa;--get:#0b6e4f;--post:#1a56a8;--put:#8a5a00;--patch:#6b3fa0;--delete:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa6b5;--line:#2c3542;--bg:#12161c;--raised:#1a2029;--get:#4cc38a;--post:#6ea8ff;--put:#e0a84a;--patch:#b794f4;--delete:#ff8a80}}
*{box-sizing:border-box}html{scroll-padding-top:1rem}
body{margin:0;color:var(--ink);background:var(--bg);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;overflow-wrap:anywhere}
a{color:inherit}code{font:.87em/1.5 ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace}
.page{display:grid;grid-template-columns:15rem minmax(0,52rem);gap:3rem;max-width:74rem;margin:0 auto;padding:2rem 1.25rem 6rem}
nav{position:sticky;top:2rem;align-self:start;max-height:calc(100vh - 4rem);overflow:auto}
nav ul{list-style:none;margin:0;padding:0}nav a{display:block;padding:.2rem 0;color:var(--soft);text-decoration:none}nav a:hover{color:var(--ink)}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 1rem}h2{font-size:1.3rem;margin:3rem 0 .75rem}h3{font-size:.95rem;margin:1.4rem 0 .4rem}h3 code{font-weight:400;color:var(--soft);margin-left:.4rem}
details.op{border:1px solid var(--line);border-radius:.5rem;margin:.5rem 0;background:var(--bg)}
details.op>summary{display:flex;flex-wrap:wrap;gap:.15rem .75rem;align-items:baseline;padding:.6rem .85rem;cursor:pointer;list-style:none}
details.op>summary::-webkit-details-marker{display:none}details.op>summary:hover{background:var(--raised);border-radius:.5rem}
details.op[open]>summary{border-bottom:1px solid var(--line);border-radius:.5rem .5rem 0 0}
.method{font:600 .75rem/1.5 ui-monospace,Menlo,"DejaVu Sans Mono",monospace;width:3.6rem;text-transform:uppercase}
.get{color:var(--get)}.post{color:var(--post)}.put{color:var(--put)}.patch{color:var(--patch)}.delete{color:var(--delete)}
.what{color:var(--soft);margin-left:auto}.inside{padding:.25rem .95rem 1rem}
dl{margin:0;border-top:1px solid var(--line)}dl dl{margin:.35rem 0 .1rem .1rem;padding-left:.9rem;border-top:0;border-left:2px solid var(--line)}
dl>div{padding:.45rem 0;border-bottom:1px solid var(--line)}dl dl>div:last-child{border-bottom:0}
dt{display:inline;font-weight:600}dt code{font-size:.9em}.type{color:var(--soft);font-size:.87rem;margin-left:.5rem}.needed{color:var(--delete);font-size:.75rem;margin-left:.5rem}
dd{margin:.1rem 0 0;color:var(--soft);font-size:.92rem}
pre{background:var(--raised);border:1px solid var(--line);border-radius:.4rem;padding:.7rem .85rem;margin:0;overflow-x:auto}
.refusals{color:var(--soft);font-size:.92rem}
@media(max-width:46rem){.page{display:block;padding:1.25rem .9rem 4rem}nav{position:static;max-height:none;margin-bottom:2rem}nav ul{display:flex;flex-wrap:wrap;gap:.35rem}nav a{border:1px solid var(--line);border-radius:1rem;padding:.2rem .7rem;font-size:.9rem}.what{margin-left:0;width:100%}}
`;

/** The page needs its own style and nothing else. */
export const docsPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

export function docsPage(document: OpenApi): string {
  const root = document as unknown as Node;
  const operations = Object.entries(child(root, 'paths')).flatMap(([path, methods]) => Object.entries(asNode(methods)).map(([method, operation]) => ({ path, method, operation: asNode(operation) })));
  const tags = [...new Set(operations.flatMap(({ operation }) => list(operation['tags'])))].map(String);
  const info = child(root, 'info');
  const sections = tags.map((tag) => `<section><h2 id="${anchor(tag)}">${escape(tag)}</h2>${operations.filter(({ operation }) => list(operation['tags']).includes(tag)).map((one) => operationHtml(root, one.path, one.method, one.operation)).join('')}</section>`);
  const events = Object.entries(child(root, 'webhooks')).map(([type, methods]) => eventHtml(root, type, child(asNode(methods), 'post')));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escape(info['title'])}</title><style>${style}</style></head>
<body><div class="page"><nav aria-label="Sections"><ul>${tags.map((tag) => `<li><a href="#${anchor(tag)}">${escape(tag)}</a></li>`).join('')}<li><a href="#event-types">Event types</a></li><li><a href="/api/explain">What a call would do</a></li><li><a href="/api/v1/openapi.json">openapi.json</a></li></ul></nav>
<main><h1>${escape(info['title'])}</h1>${paragraphs(info['description'])}${sections.join('\n')}<section><h2 id="event-types">Event types</h2><p>As they are told on the stream of an account’s events, and sent to webhooks.</p>${events.join('')}</section></main></div></body></html>
`;
}

function operationHtml(root: Node, path: string, method: string, operation: Node): string {
  const parameters = list(operation['parameters']).map(asNode);
  const body = Object.entries(child(child(operation, 'requestBody'), 'content'));
  const responses = Object.entries(child(operation, 'responses'));
  const good = responses.filter(([status]) => status < '400');
  const refusals = responses.filter(([status]) => status >= '400').map(([status, response]) => `${status} ${text(asNode(response)['description'])}`);
  return `<details class="op" id="${escape(operation['operationId'])}"><summary><span class="method ${escape(method)}">${escape(method)}</span><code>${escape(path)}</code><span class="what">${escape(operation['summary'])}</span></summary><div class="inside">
${paragraphs(operation['description'])}<pre><code>${escape(curl(root, path, method, operation))}</code></pre>
${parameters.length === 0 ? '' : `<h3>Parameters</h3><dl>${parameters.map((one) => fieldHtml(root, text(one['name']), { ...child(one, 'schema'), ...(one['description'] === undefined ? {} : { description: one['description'] }) }, one['required'] === true, 'asked', 0, ` in ${text(one['in'])}`)).join('')}</dl>`}
${body.map(([type, media]) => `<h3>Body<code>${escape(type)}</code></h3>${schemaHtml(root, child(asNode(media), 'schema'), 'asked', 0)}`).join('')}
${good.map(([status, response]) => {
    const content = Object.entries(child(asNode(response), 'content'));
    return `<h3>${escape(status)} ${escape(asNode(response)['description'])}${content.map(([type]) => `<code>${escape(type)}</code>`).join('')}</h3>${content.map(([, media]) => schemaHtml(root, child(asNode(media), 'schema'), 'given', 0)).join('')}`;
  }).join('')}
<h3>Refusals</h3><p class="refusals">${escape(refusals.join(' · '))}</p></div></details>`;
}

function eventHtml(root: Node, type: string, operation: Node): string {
  const schema = child(child(child(child(operation, 'requestBody'), 'content'), 'application/json'), 'schema');
  const data = child(child(resolved(root, schema), 'properties'), 'data');
  return `<details class="op" id="${escape(operation['operationId'])}"><summary><code>${escape(type)}</code></summary><div class="inside">${paragraphs(resolved(root, data)['description'])}<h3>Data</h3>${schemaHtml(root, data, 'given', 0)}</div></details>`;
}

function schemaHtml(root: Node, schema: Node, side: Side, depth: number): string {
  const node = resolved(root, schema);
  const inner = depth > 5 ? [] : Object.entries(child(node, 'properties'));
  if (inner.length > 0) return `<dl>${inner.map(([name, field]) => fieldHtml(root, name, asNode(field), list(node['required']).includes(name), side, depth)).join('')}</dl>`;
  const nested = node['items'] ?? list(node['anyOf']).find((one) => Object.keys(child(resolved(root, asNode(one)), 'properties')).length > 0 || asNode(one)['items'] !== undefined);
  return nested === undefined || depth > 5 ? '' : schemaHtml(root, asNode(nested), side, depth);
}

function fieldHtml(root: Node, name: string, field: Node, needed: boolean, side: Side, depth: number, where = ''): string {
  const node = resolved(root, field);
  const facts = [words(node['description']), constraints(root, node)].filter((part) => part !== '').join(' ');
  const presence = side === 'asked' ? (needed ? '<span class="needed">required</span>' : '') : needed ? '' : '<span class="type">may be absent</span>';
  return `<div><dt><code>${escape(name)}</code></dt><span class="type">${escape(typeText(root, node))}${escape(where)}</span>${presence}${facts === '' ? '' : `<dd>${facts}</dd>`}${schemaHtml(root, node, side, depth + 1)}</div>`;
}

function typeText(root: Node, schema: Node): string {
  const node = resolved(root, schema);
  if (Array.isArray(node['enum'])) return node['enum'].map((one) => JSON.stringify(one)).join(' | ');
  if (node['const'] !== undefined) return JSON.stringify(node['const']);
  const choices = [...list(node['anyOf']), ...list(node['oneOf'])].map((one) => typeText(root, asNode(one)));
  if (choices.length > 0) return [...new Set(choices)].join(' | ');
  if (node['type'] === 'array') return `list of ${typeText(root, child(node, 'items'))}`;
  return list(node['type']).length > 0 ? list(node['type']).join(' | ') : text(node['type'] ?? 'any');
}

function constraints(root: Node, schema: Node): string {
  const [choice, ...others] = list(schema['anyOf']).map((one) => resolved(root, asNode(one))).filter((one) => one['type'] !== 'null');
  const node = choice !== undefined && others.length === 0 ? choice : schema;
  const { minimum, maximum, maxLength, maxItems, default: usual, example } = node;
  const parts = [
    maximum === undefined || Number(maximum) > 1e15 ? '' : `${text(minimum)} to ${text(maximum)}`,
    maxLength === undefined ? '' : `at most ${text(maxLength)} characters`,
    maxItems === undefined ? '' : `at most ${text(maxItems)} of them`,
    usual === undefined || typeof usual === 'object' ? '' : `default <code>${escape(JSON.stringify(usual))}</code>`,
    example === undefined ? '' : `such as <code>${escape(example)}</code>`,
  ].filter((part) => part !== '').join(', ');
  return parts === '' ? '' : `${parts[0]?.toUpperCase()}${parts.slice(1)}.`;
}

function curl(root: Node, path: string, method: string, operation: Node): string {
  const [body] = Object.entries(child(child(operation, 'requestBody'), 'content'));
  const needsVersion = list(operation['parameters']).some((one) => asNode(one)['name'] === 'If-Match');
  const example = body === undefined ? '' : body[0].startsWith('audio/') ? ' --data-binary @greeting.wav' : ` -d '${JSON.stringify(exampleOf(root, child(asNode(body[1]), 'schema'), method === 'patch'))}'`;
  const type = body === undefined ? '' : ` \\\n  -H 'Content-Type: ${body[0].startsWith('audio/') ? 'audio/wav' : body[0]}'`;
  return `curl${method === 'get' ? '' : ` -X ${method.toUpperCase()}`} -H "Authorization: Bearer $KEY"${needsVersion ? ` -H 'If-Match: "1"'` : ''}${type}${example} \\\n  http://127.0.0.1:8088${path.replace(/\{(\w+)\}/g, '$$$1')}`;
}

/** The fields that must be there; of a patch the first. */
function exampleOf(root: Node, schema: Node, patch: boolean): unknown {
  const node = resolved(root, schema);
  if (node['example'] !== undefined) return node['example'];
  if (Array.isArray(node['enum'])) return node['enum'][0];
  const [choice] = list(node['anyOf']);
  if (choice !== undefined) return exampleOf(root, asNode(choice), false);
  if (node['properties'] !== undefined) {
    const names = patch ? Object.keys(child(node, 'properties')).slice(0, 1) : list(node['required']).map(String);
    return Object.fromEntries(names.map((name) => [name, exampleOf(root, child(child(node, 'properties'), name), false)]));
  }
  if (node['type'] === 'string' && node['maxLength'] === undefined) return '…';
  return node['type'] === 'integer' ? 1 : node['type'] === 'boolean' ? true : node['type'] === 'array' ? [] : 'Front desk';
}

function resolved(root: Node, schema: Node): Node {
  const reference = schema['$ref'];
  if (typeof reference !== 'string') return schema;
  const target = reference.split('/').slice(1).reduce<Node>((node, part) => child(node, part), root);
  return { ...target, ...(schema['description'] === undefined ? {} : { description: schema['description'] }) };
}

function child(node: Node, name: string): Node {
  return asNode(node[name]);
}

function asNode(value: unknown): Node {
  return typeof value === 'object' && value !== null ? (value as Node) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
}

function paragraphs(value: unknown): string {
  return text(value).split(/\n{2,}/).filter((part) => part !== '').map((part) => `<p>${words(part)}</p>`).join('');
}

function words(value: unknown): string {
  return escape(value).replace(/`([^`]+)`/g, '<code>$1</code>');
}

function escape(value: unknown): string {
  return text(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function anchor(tag: string): string {
  return tag.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}
