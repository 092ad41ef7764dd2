/** Contacts over the API: by their number, in pages, as files in and out, and who may own them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type Answered, type TestApi } from './http-fixture.ts';

let server: TestApi;
beforeAll(async () => { server = await startApi(); });
afterAll(() => server.stop());

const contacts = '/accounts/north/contacts';
const one = (number: string): string => `${contacts}/${encodeURIComponent(number)}`;
const toldOf = ({ json }: Answered): readonly string[] => json.problems.map(({ path, message }: { path: string; message: string }) => [path, message].filter((part) => part !== '').join(': '));
const exported = async (query = ''): Promise<readonly string[]> => (await server.ask('GET', `${contacts}/export${query}`)).text.split('\n').slice(0, -1);
const ask = (body: string | Uint8Array<ArrayBuffer>, type: string, query = ''): Promise<Answered> => server.ask('POST', `${contacts}/import${query}`, { body, headers: { 'content-type': type } });
const send = (lines: readonly string[], mode = 'add'): Promise<Answered> => ask(lines.join('\n'), 'text/csv', `?mode=${mode}`);
const ids = async (query: string): Promise<readonly string[]> => (await server.ask('GET', `${contacts}?${query}`)).json.items.map(({ id }: { id: string }) => id);
const restored = async (): Promise<void> => { expect((await send(['number,name', '+12025550187,A patient', '+12025550188,Another'], 'replace')).status).toBe(200); };

describe('A contact', () => {
  it('is created under its number, and found where Location says, with what is known of them', async () => {
    const body = { number: '+12025550301', name: 'Jo Ray', owner: 'desk', tags: ['recall', 'VIP'], fields: { insurance: '=Blue Cross', Allergies: 'none' } };
    const made = await server.ask('POST', contacts, { key: 'north', json: body });
    expect([made.status, made.headers.get('location'), made.headers.get('etag')]).toEqual([201, '/api/v1/accounts/north/contacts/%2B12025550301', '"1"']);
    const got = await server.ask('GET', made.headers.get('location') ?? '', { key: 'northReader' });
    expect(got.json).toEqual({ id: '+12025550301', account: 'north', version: 1, createdAt: expect.any(Number), updatedAt: expect.any(Number), ...body });
    expect(server.stores.entries.findLast(({ action }) => action === 'contact.create')).toMatchObject({ subject: 'north/contact/+12025550301', outcome: 'ok' });
    expect((await server.ask('POST', contacts, { json: body })).status).toBe(409);
  });

  it('is changed only by who has seen its latest version, and the audit log has what it was', async () => {
    const path = one('+12025550301');
    expect((await server.ask('PUT', path, { json: { name: 'Jo' } })).status).toBe(428);
    const put = await server.ask('PUT', path, { json: { ...(await server.ask('GET', path)).json, name: 'Jo Rae' }, headers: { 'if-match': '"1"' } });
    expect([put.status, put.headers.get('etag'), put.json]).toMatchObject([200, '"2"', { name: 'Jo Rae', owner: 'desk', fields: { Allergies: 'none' } }]);
    expect((await server.ask('PUT', path, { json: { name: 'Late' }, headers: { 'if-match': '"1"' } })).status).toBe(412);
    const patch = await server.ask('PATCH', path, { json: { owner: null, fields: { Allergies: null, language: 'es' } }, headers: { 'if-match': '"2"' } });
    expect(patch.json).toMatchObject({ version: 3, name: 'Jo Rae', fields: { insurance: '=Blue Cross', language: 'es' } });
    expect('owner' in patch.json || 'Allergies' in patch.json.fields).toBe(false);
    expect(server.stores.entries.at(-1)).toMatchObject({ action: 'contact.update', details: { before: { number: '+12025550301', owner: 'desk' } } });
    expect((await server.ask('GET', path, { headers: { 'if-none-match': '"3"' } })).status).toBe(304);
    expect((await server.ask('DELETE', path, { headers: { 'if-match': '"3"' } })).status).toBe(204);
    expect((await server.ask('GET', path)).status).toBe(404);
  });

  it('goes to one of two who change the same version at once', async () => {
    const both = await Promise.all(['One', 'Two'].map((name) => server.ask('PUT', one('+12025550187'), { json: { name }, headers: { 'if-match': '"1"' } })));
    expect(both.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 412]);
  });

  it('is told all that is wrong with it at once, and keeps its number', async () => {
    const wrong = await server.ask('POST', contacts, { json: { number: '2025550187', name: '', owner: 'nobody', tags: ['a;b', 'x', 'x'], fields: { '1st': 'x' }, id: 'jo' } });
    expect([wrong.status, wrong.json.problems.map(({ path }: { path: string }) => path).sort()]).toEqual([422, ['fields', 'id', 'name', 'number', 'tags', 'tags[0]']]);
    expect(toldOf(await server.ask('POST', contacts, { json: { number: '+12025550302', name: 'X', owner: 'nobody' } }))).toEqual(['owner: there is no user “nobody”. Create it first, or correct the id.']);
    expect(toldOf(await server.ask('PUT', one('+12025550187'), { json: { number: '+12025550999', name: 'X' }, headers: { 'if-match': '*' } }))).toEqual(['number: is another than in the path, and a contact’s number is its id. Create another contact, and delete this one.']);
  });
});

describe('An owner', () => {
  it('is not deleted while contacts have them, and it is said how many and which', async () => {
    await server.ask('POST', '/accounts/north/users', { json: { id: 'ann', name: 'Ann' } });
    await send(['number,name,owner', ...[1, 2, 3, 4].map((n) => `+1202555040${n},Patient ${n},ann`)]);
    const refused = await server.ask('DELETE', '/accounts/north/users/ann', { headers: { 'if-match': '*' } });
    expect([refused.status, refused.json.detail]).toEqual([409, 'It is in use: contacts (4: +12025550401, +12025550402, +12025550403, …) have the user “ann” as their owner. Give them another first.']);
    await send(['number,name,owner', ...[1, 2, 3, 4].map((n) => `+1202555040${n},Patient ${n},`)]);
    expect((await server.ask('DELETE', '/accounts/north/users/ann', { headers: { 'if-match': '*' } })).status).toBe(204);
  });

  it('of an account that is to be deleted: its contacts go first', async () => {
    await server.ask('POST', '/accounts', { json: { id: 'brief', name: 'Brief' } });
    await server.ask('POST', '/accounts/brief/contacts', { json: { number: '+12025550187', name: 'A patient' } });
    const refused = await server.ask('DELETE', '/accounts/brief', { headers: { 'if-match': '*' } });
    expect([refused.status, refused.json.detail]).toEqual([409, expect.stringContaining('contacts (1: +12025550187) belong to the account. Delete them first')]);
    const emptied = await server.ask('POST', '/accounts/brief/contacts/import?mode=replace', { body: 'number,name\n', headers: { 'content-type': 'text/csv' } });
    expect(emptied.json).toMatchObject({ deleted: 1 });
    expect((await server.ask('DELETE', '/accounts/brief', { headers: { 'if-match': '*' } })).status).toBe(204);
  });
});

describe('A list of contacts', () => {
  it('comes in pages, by number, that what is added meanwhile does not shift', async () => {
    await send(['number,name,owner,tags', ...[5, 1, 3, 2, 4].map((n) => `+1202555050${n},Patient ${n},${n % 2 === 0 ? 'desk' : ''},${n === 3 ? 'vip' : ''}`)], 'replace');
    const seen: string[] = [];
    for (let next: string | null = ''; next !== null;) {
      const page: Answered = await server.ask('GET', `${contacts}?limit=2${next === '' ? '' : `&cursor=${next}`}`);
      seen.push(...page.json.items.map(({ id }: { id: string }) => id));
      next = page.json.next;
      await server.ask('POST', contacts, { json: { number: `+1202555040${seen.length}`, name: 'Early' } });
    }
    expect(seen).toEqual([1, 2, 3, 4, 5].map((n) => `+1202555050${n}`));
  });

  it('is searched by words and digits, and filtered by owner, tag, name and number', async () => {
    expect(await ids('q=patient')).toHaveLength(5);
    expect(await ids('q=%2B12025550503')).toEqual(['+12025550503']);
    expect(await ids('q=0504')).toEqual(['+12025550504']);
    expect(await ids('owner=desk')).toEqual(['+12025550502', '+12025550504']);
    expect(await ids('tag=vip')).toEqual(['+12025550503']);
    expect(await ids('name=Patient%201&owner=desk')).toEqual([]);
    expect(await ids('number=%2B12025550505')).toEqual(['+12025550505']);
    for (const query of ['cursor=nonsense', 'colour=red', 'limit=201']) expect((await server.ask('GET', `${contacts}?${query}`)).status).toBe(400);
    await restored();
  });
});

describe('A file of contacts', () => {
  it('with three bad lines in ten thousand names the three, and nothing of it is imported', async () => {
    const before = await server.state();
    const lines = ['number,name', ...Array.from({ length: 10_000 }, (_, i) => `+1303${String(5_000_000 + i)},Patient ${i}`)];
    lines[17] = '3035550017,Patient 16';
    lines[4_321] = '+13035004320';
    lines[9_876] = '+13035000001,Patient 1 again';
    const answer = await send(lines);
    expect([answer.status, answer.json.detail]).toEqual([422, 'Nothing was imported: 3 lines cannot be accepted.']);
    expect(toldOf(answer)).toEqual([
      'line 18 number: “3035550017” is not an E.164 number. Write it with + and country code, without spaces: +12025550123. No country code is guessed.',
      'line 4322: has 1 value, and the header has 2. Put a value that has a comma in it in double quotes.',
      'line 9877 number: +13035000001 is on line 3 already. Keep one of the two.',
    ]);
    expect(await server.state()).toBe(before);
  });

  it('that is wrong all through is told a hundred problems, and how many more there are', async () => {
    const answer = await send(['number,name,owner', ...Array.from({ length: 300 }, (_, i) => `+1303${String(5_000_000 + i)},,nobody`)]);
    expect([answer.status, answer.json.problems.length, answer.json.detail]).toEqual([422, 100, 'Nothing was imported: 300 lines cannot be accepted. Named are the first 100 problems; there are 200 more.']);
  });

  it.each([
    ['no header', ['', ''], 'line 1: must be the header, with the columns number and name.'],
    ['columns nobody knows', ['number,name,phone'], 'line 1 “phone”: is no column. Use number, name, owner, tags and field.<name>, whose name begins with a letter and has letters, digits, _ and -, at most 32; or remove it.'],
    ['a column twice', ['number,name,Name'], 'line 1 “Name”: is there twice. Remove one.'],
    ['no names', ['number,owner'], 'line 1: must name the columns, and “name” is not among them. Add it.'],
    ['semicolons between', ['number;name', '+12025550601;Jo'], 'line 1: has its columns separated by something else than commas. Save the file with commas.'],
    ['a quote that is open', ['number,name', '+12025550601,"Jo', '+12025550602,Al'], 'line 2: has a double quote that is not closed, or stands inside a value. A value with quotes in it is quoted, with each of them doubled; it is one line.'],
    ['an owner who is nobody', ['number,name,owner', '', '+12025550601,Jo,nobody'], 'line 3 owner: there is no user “nobody”. Create it first, or correct the id.'],
    ['a tag twice', ['number,name,tags', '+12025550601,Jo,a; a'], 'line 2 tags: has a tag twice. Name each once.'],
  ])('with %s is refused, with the line and the way out', async (_, lines, problem) => {
    const before = await server.state();
    const answer = await send(lines);
    expect([answer.status, toldOf(answer)]).toEqual([422, [problem]]);
    expect(await server.state()).toBe(before);
  });

  it('that is not UTF-8, not CSV, or has no known mode, is refused', async () => {
    expect(toldOf(await ask(new Uint8Array(Buffer.from('number,name\n+12025550601,J\xfcrgen\n', 'latin1')), 'text/csv'))).toEqual(['line 2: is not UTF-8. Save the file as “CSV UTF-8”.']);
    expect((await ask('number,name\n', 'application/json')).status).toBe(415);
    expect(toldOf(await ask('number,name\n', 'text/csv', '?mode=merge'))).toEqual(['mode: must be add or replace.']);
    expect((await ask(new Uint8Array(33 * 1_048_576), 'text/csv')).status).toBe(413);
  });

  it('adds: what it says of a contact is so afterwards, what it says nothing of stays', async () => {
    await send(['number,name,owner,tags,field.insurance,field.language', '+12025550601,Jo,desk,vip; recall,Blue Cross,es', '+12025550602,Al,desk,,,'], 'replace');
    const answer = await send(['field.insurance,Name,NUMBER,tags', ',Jo Ray,+12025550601,vip', 'Cigna,Bo,+12025550603,', ',Al,+12025550602,']);
    expect(answer.json).toEqual({ mode: 'add', created: 1, replaced: 1, deleted: 0, unchanged: 1 });
    expect(await exported()).toEqual([
      'number,name,owner,tags,field.insurance,field.language', '+12025550601,Jo Ray,desk,vip,,es', '+12025550602,Al,desk,,,', '+12025550603,Bo,,,Cigna,',
    ]);
    expect(server.stores.entries.findLast(({ action }) => action === 'contacts.import')).toMatchObject({ subject: expect.stringContaining('/contacts/import'), details: { mode: 'add', created: 1, replaced: 1 } });
    expect((await server.ask('GET', one('+12025550602'))).json.version).toBe(1);
  });

  it('replaces: afterwards the account has the contacts of the file, and no others', async () => {
    const answer = await send(['\ufeffnumber,name\r', '+12025550601,Jo\r', '\r', ',\r', '+12025550604,Cy\r', ''], 'replace');
    expect(answer.json).toEqual({ mode: 'replace', created: 1, replaced: 1, deleted: 2, unchanged: 0 });
    expect(await exported()).toEqual(['number,name,owner,tags', '+12025550601,Jo,,', '+12025550604,Cy,,']);
    await restored();
  });

  it('comes out as it went in, also by way of a spreadsheet', async () => {
    const lines = ['number,name,owner,tags,field.Note', '+12025550601,=HYPERLINK(1),,"@home;-1",-1', `+12025550602,'t Hart,,,''=1'`, '+12025550603,"Ray, ""Jo""",desk,,+1', '+12025550604,Jürgen 李,,a;b c,@x'];
    const written = await send(lines, 'replace');
    expect([written.status, written.text]).toEqual([200, expect.stringContaining('"created":4')]);
    const plain = await exported();
    const marked = await exported('?spreadsheet=yes');
    expect(plain.slice(1, 3)).toEqual(['+12025550601,=HYPERLINK(1),,"@home;-1",-1', `+12025550602,'t Hart,,,''=1'`]);
    expect(marked[1]).toBe(`'+12025550601,'=HYPERLINK(1),,"'@home;-1",'-1`);
    for (const again of [plain, marked]) expect((await send(again, 'replace')).json).toMatchObject({ created: 0, replaced: 0, deleted: 0, unchanged: 4 });
    await restored();
  });

  it('is an attachment, by a name of the account, and its export is in the audit log', async () => {
    const { headers } = await server.ask('GET', `${contacts}/export`, { key: 'north' });
    expect([headers.get('content-type'), headers.get('content-disposition')]).toEqual(['text/csv; charset=utf-8; header=present', 'attachment; filename="contacts-north.csv"']);
    expect(server.stores.entries.at(-1)).toMatchObject({ action: 'contacts.export', account: 'north' });
  });

  it('goes nowhere while the database is away, and contacts are read all the same', async () => {
    server.stores.away = true;
    try {
      expect((await send(['number,name', '+12025550601,Jo'])).status).toBe(503);
      expect((await server.ask('POST', contacts, { json: { number: '+12025550601', name: 'Jo' } })).status).toBe(503);
      expect((await server.ask('GET', contacts, { key: 'northReader' })).json.items).toHaveLength(2);
    } finally {
      server.stores.away = false;
    }
    expect((await server.ask('GET', one('+12025550601'))).status).toBe(404);
  });
});
