import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadPlanFiles, loadPlans } from '../../control-plane/store/plan-files/load.ts';
import { formatProblems } from '../../control-plane/store/plan-files/problems.ts';

const plan = (number: string, users = '', rest = '') => `account:
  id: c1
  name: Clinic
trunks:
  - id: t1
    host: sip.carrier.example
users:
  - id: ana
    name: Ana
    devices:
      - extension: 0101
${users}numbers:
  - e164: +12025550110
    name: Main
    users: [ana]
${number}${rest}`;

const withKeys = (how: string): string => plan('').replace('.example\n', `.example\n    dtmf: ${how}\n`);

/** Problems as lines, `line path: message. way out`. */
async function problemsOf(...texts: string[]): Promise<string[]> {
  const result = await loadPlans(texts.map((text, i) => ({ file: `${i}.yaml`, text })));
  return result.ok ? [] : formatProblems(result.problems).split('\n');
}

async function loaded(text: string) {
  const result = await loadPlans([{ file: 'plan.yaml', text }]);
  if (!result.ok) throw new Error(formatProblems(result.problems));
  const [clinic] = result.config.clinics;
  const [number] = clinic?.account.numbers ?? [];
  if (clinic === undefined || number === undefined) throw new Error('nothing was loaded');
  return { clinic, number, warnings: result.config.warnings };
}


let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'plan-file-'));
});
afterAll(() => rm(dir, { recursive: true }));

const routes = (menu: string): string => plan('    route: { to: menu, id: main }\n    passCalledNumber: true\n', '', `receivingNumbers:
  - id: service
    number: +12025550140
    label: Answering service
    ringSeconds: 15
    callConnect: off
menus:
  - id: main
    name: Main menu
    prompt: Press one for the front desk.
    dialByExtension: true
${menu}`);

describe('Routes in a plan file', () => {
  it('are written as in the API, a bare text for a message', async () => {
    const { clinic, number } = await loaded(routes('    options:\n      1: { to: receiving-number, id: service }\n      "*": { to: message, message: We have moved. }\n'));
    expect(number).toMatchObject({ route: { to: 'menu', id: 'main' }, passCalledNumber: true });
    expect(clinic.account.receivingNumbers?.get('service')).toMatchObject({ number: '+12025550140', ringMs: 15_000, callConnect: 'off' });
    expect(clinic.account.menus?.get('main')).toMatchObject({ prompt: { text: 'Press one for the front desk.' }, dialByExtension: true, tries: 3, options: { 1: { to: 'receiving-number', id: 'service' }, '*': { to: 'message', message: { text: 'We have moved.' } } } });
  });

  it('lead to queues, whose fields are read in their types', async () => {
    const queues = `queues:
  - id: desk
    name: Front desk
    strategy: weighted
    agents: [{ user: ana, share: 3 }]
    ringSeconds: 12
    announcePosition: { firstSeconds: 15 }
    messages: { everySeconds: 45, say: [Hold the line., { sound: beep }] }
    exit: { key: "1", target: { to: voicemail } }
`;
    const { clinic } = await loaded(plan('    route: { to: queue, id: desk, priority: 3 }\n', '', queues));
    expect(clinic.account.numbers[0]?.route).toEqual({ to: 'queue', id: 'desk', priority: 3 });
    expect(clinic.account.queues?.get('desk')).toMatchObject({
      desk: { strategy: 'weighted', tiers: [{ agents: [{ agent: 'ana', share: 3 }] }], offerMs: 12_000, announce: { firstMs: 15_000, everyMs: 60_000 } },
      messages: { everyMs: 45_000, say: [{ text: 'Hold the line.' }, { media: 'sound:beep' }] }, exit: { key: '1' },
    });
    expect(await problemsOf(plan('    route: { to: queue, id: desks }\n', '', queues.replace('strategy: weighted', 'strategy: linear').replace('user: ana', 'user: bob')))).toEqual([
      expect.stringMatching(/queues\[0\]\.strategy: must be one of: ring-all, round-robin, /),
    ]);
    expect(await problemsOf(plan('    route: { to: queue, id: desks }\n', '', queues.replace('user: ana', 'user: bob')))).toEqual([
      expect.stringContaining('numbers[0].route: there is no queue “desks”'), expect.stringContaining('queues[0].agents[0].user: there is no user “bob”'),
    ]);
  });

  it('are refused with the line and the way out', async () => {
    expect(await problemsOf(routes('    tries: 11\n    waitSeconds: soon\n    options:\n      1: { to: fax, id: x }\n    prompts: no\n'))).toEqual([
      '0.yaml:29: menus[0].tries: must be whole tries from 1 to 10. See the API’s documentation for how it is written.',
      '0.yaml:30: menus[0].waitSeconds: must be whole seconds from 1 to 60. See the API’s documentation for how it is written.',
      '0.yaml:32: menus[0].options.1.to: must lead to one of: receiving-number, ring-group, queue, menu, router, user, voicemail, message, hang-up, precedence. Write it as { "to": "menu", "id": "main" }.',
      '0.yaml:33: menus[0].prompts: is not a known field. Remove it, or correct its name.',
    ]);
    expect(await problemsOf(routes('    options:\n      1: { to: user, id: bob }\n      2: { to: message, message: { file: gone.wav } }\n'))).toEqual([
      expect.stringMatching(/^0\.yaml:31: menus\[0\]\.options\.2\.message\.file: there is no file gone\.wav/),
    ]);
    expect(await problemsOf(routes('    options:\n      1: { to: user, id: bob }\n'))).toEqual(['0.yaml:30: menus[0].options.1: there is no user “bob”. Create it first, or correct the id.']);
  });
});

describe('a good plan', () => {
  it('may have the trunk ids and extensions of another, and a prefix for its phones', async () => {
    const other = plan('').replace('id: c1', 'id: c2\n  sipPrefix: two').replace('+12025550110', '+12025550119');
    expect(await problemsOf(plan(''), other)).toEqual([]);
    expect((await loaded(other)).clinic.phones).toMatchObject([{ extension: '0101', sipUser: 'two.0101' }]);
  });

  it('may leave out or leave blank what has a default', async () => {
    const { clinic, number } = await loaded(plan('    timeoutSeconds:\n    whisper:\n'));
    expect(number).toEqual({
      e164: '+12025550110', label: 'Main', users: ['ana'], ringMs: 60_000, callConnect: 'external',
      voicemail: { maxMs: 180_000, silenceMs: 10_000 },
    });
    expect(clinic.phones).toEqual([{ extension: '0101', sipUser: '0101', user: 'ana', label: 'phone 0101', password: '' }]);
    expect(clinic.trunks).toEqual([{
      id: 't1', host: 'sip.carrier.example', port: 5060, transport: 'udp', codecs: ['ulaw', 'alaw'], dtmf: 'rfc4733', match: [], nat: true, priority: 10, qualifySeconds: 0,
      register: true, srtp: false,
    }]);
  });

  it('says how its carrier takes keys, and by default by telephone events', async () => {
    expect((await loaded(withKeys('info'))).clinic.trunks).toMatchObject([{ dtmf: 'info' }]);
    expect(await problemsOf(withKeys('shouting'))).toEqual([expect.stringContaining('trunks[0].dtmf: must be one of: rfc4733, info, inband, auto')]);
  });

  it('turns voicemail off only by saying so', async () => {
    expect((await loaded(plan('    voicemail: off\n'))).number.voicemail).toBeUndefined();
  });

  it.each([[1, 1000], [600, 600_000]])('may ring for %i s', async (seconds, ms) => {
    expect((await loaded(plan(`    timeoutSeconds: ${seconds}\n`))).number.ringMs).toBe(ms);
  });

  it('is accepted with warnings where a setting will disappoint', async () => {
    const { warnings } = await loaded(plan('    timeoutSeconds: 10\n    callConnect: off\n', '      - mobile: +12025550121\n'));
    expect(warnings).toEqual([expect.stringContaining('too short'), expect.stringContaining('no emergency section')]);
  });

  it('may call a country that it names', async () => {
    const { clinic } = await loaded(plan('', '      - mobile: +442071838750\n').replace('  id: c1\n', '  id: c1\n  outbound: { countries: [US, GB], concurrentCalls: 4 }\n'));
    expect(clinic.account.outbound).toEqual({ countries: ['US', 'GB'], premium: false, concurrentCalls: 4 });
  });

  it('gives the account’s failsafe to every number that names none', async () => {
    const numbers = 'numbers:\n  - { e164: +12025550111, name: A }\n  - { e164: +12025550112, name: B, failsafe: +12025550198 }\n';
    const text = `account: { id: c, name: C, failsafe: +12025550199 }\ntrunks: [{ id: t, host: h }]\n${numbers}`;
    const result = await loadPlans([{ file: 'c.yaml', text }]);
    expect(result.ok && [...(result.config.clinics[0]?.failsafe ?? [])]).toEqual([['+12025550111', '+12025550199'], ['+12025550112', '+12025550198']]);
    expect(await problemsOf(text.replace('failsafe: +12025550199', 'failsafe: +12025550112'))).toEqual([expect.stringContaining('account.failsafe: +12025550112 is a number of this system')]);
  });

  it('is each of the examples, together too', async () => {
    const result = await loadPlanFiles(['riverside-dental', 'harbor-physio', 'lakeside-clinics'].map((name) => `dialplans/${name}.yaml`));
    expect(result).toMatchObject({ ok: true, config: { warnings: [] } });
    const clinics = result.ok ? result.config.clinics : [];
    expect(clinics.map(({ failsafe }) => [...failsafe])).toEqual([[['+12025550110', '+12025550199']], [['+15105550140', '+15105550149']], [['+12065550180', '+12065550199'], ['+12065550181', '+12065550199'], ['+12065550182', '+12065550199']]]);
  });
});

describe('a bad plan', () => {
  it('has every problem told at once, in the order of its lines', async () => {
    const problems = await problemsOf(`account: { id: c1, name: Clinic }
trunks: [{ id: t1, host: 'sip://x' }]
users:
  - id: ana
    name: Ana
    devices:
      - mobile: +12025550110
      - extension: 911
        password: 911
numbers:
  - e164: +12025550110
    name: Main
    users: [a, b, c, d, e, f, g, h]
    timeoutSeconds: 9999
    wisper: hello
    callConnect: always
    whisper: Hello {callr}
    failsafe: +12025550110
  - e164: 2025550111
    name: Second
    users: [anna]
`);
    const expected = [
      '0.yaml:2: trunks[0].host: is not a host name or IP address. Write it without scheme, port or spaces: sip.carrier.example.',
      '0.yaml:7: users[0].devices[0].mobile: +12025550110 is a number of this system: a forward to itself. Give a number outside this system.',
      '0.yaml:8: users[0].devices[1].extension: 911 is an emergency number. Use another extension.',
      '0.yaml:13: numbers[0].users: rings at most 7 users. Remove users from the list.',
      '0.yaml:14: numbers[0].timeoutSeconds: must be whole seconds from 1 to 600. Write a number such as 20.',
      '0.yaml:15: numbers[0].wisper: is not a known field. Did you mean “whisper”?',
      '0.yaml:17: numbers[0].whisper: has an unknown placeholder. Use {practice}, {number}, {caller}, {callerNumber}.',
      '0.yaml:18: numbers[0].failsafe: +12025550110 is a number of this system: a forward to itself. Give a number outside this system.',
      '0.yaml:19: numbers[1].e164: is not an E.164 number. Write it with + and country code, without spaces: +12025550123.',
      '0.yaml:21: numbers[1].users[0]: there is no user “anna”. Did you mean “ana”?',
    ];
    for (const line of expected) expect(problems).toContain(line);
    expect(problems).toContainEqual(expect.stringMatching(/^0\.yaml:9: users\[0\]\.devices\[1\]\.password: is too weak/));
    expect(problems).toContainEqual(expect.stringMatching(/^0\.yaml:16: numbers\[0\]\.callConnect: must be one of: off, external, every/));
    const lines = problems.map((line) => Number(line.split(':')[1]));
    expect(lines).toEqual(lines.toSorted((a, b) => a - b));
  });

  it.each(['0', '-1', '9999', '601', '1.5', 'soon', '[20]'])('rings for %s', async (timeout) => {
    expect(await problemsOf(plan(`    timeoutSeconds: ${timeout}\n`))).toEqual([expect.stringMatching(/^0\.yaml:16: numbers\[0\]\.timeoutSeconds: must be /)]);
  });

  it.each([
    ['has a field of JavaScript’s own', plan('    whisper: { length: { toString: 1 } }\n'), '0.yaml:16: numbers[0].whisper.length.toString: has a name that JavaScript keeps for itself. Name it otherwise'],
    ['says one thing twice', plan('    users: []\n'), 'is not valid YAML'],
    ['is not YAML', 'numbers: [', 'is not valid YAML'],
    ['is empty', '# nothing yet\n', 'is empty'],
    ['is a list', '- a\n', 'must be a group of fields'],
    ['hides a bomb in aliases', 'a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n', 'is an alias, which plans do not have'],
    ['is some other, huge file', 'x'.repeat(600_000), 'a plan has at most'],
    ['is nested without end', '['.repeat(100_000), 'YAML'],
    ['names audio that is not there', plan('    announcement: { file: nothing.wav }\n'), 'there is no file nothing.wav'],
    ['names audio the switch cannot play', plan('    announcement: { file: hello.mp3 }\n'), 'is not audio the switch plays'],
    ['gives a greeting two sources', plan('    announcement: { text: hi, sound: hi }\n'), 'must be one of text, file and sound'],
    ['has a whisper too long', plan(`    whisper: ${'la '.repeat(100)}\n`), 'must be 1 to 200 characters'],
    ['has an extension twice', plan('', '      - extension: 0101\n'), 'extension 0101 is used twice'],
    ['has no numbers', 'account: { id: a, name: A }\n', 'numbers: is missing'],
    ['would put a line of its own into the switch’s configuration', plan('', '        label: "a\\nb"\n'), 'without line breaks'],
    ['calls a mobile without a trunk', plan('', '      - mobile: +12025550121\n').replace(/trunks:[^]*(?=users:\n)/, ''), 'can only be reached over a trunk'],
    ['calls a mobile in another country', plan('', '      - mobile: +442071838750\n'), '0.yaml:12: users[0].devices[1].mobile: +442071838750 is in GB; calls are allowed to US. Give another number, or add the country to outbound.countries under account.'],
    ['calls a number that costs', plan('    failsafe: +19005550123\n'), '+19005550123 is a premium number of North America'],
  ])('that %s is refused', async (_, text, message) => {
    expect((await problemsOf(text)).join('\n')).toContain(message);
  });

  it('shares a number with another file, or forwards to one of its', async () => {
    const other = `account: { id: c2, name: Two }\ntrunks: [{ id: t2, host: h }]\nnumbers:\n  - { e164: +12025550111, name: N, failsafe: +12025550110 }\n`;
    expect(await problemsOf(plan(''), other)).toEqual([expect.stringContaining('1.yaml:4: numbers[0].failsafe: +12025550110 is a number of this system')]);
    expect((await problemsOf(plan(''), plan(''))).join('\n')).toContain('number +12025550110 is used twice, first at 0.yaml numbers[0].e164');
  });

  it('cannot be read: no such file, a folder, not UTF-8', async () => {
    await writeFile(join(dir, 'latin1.yaml'), Buffer.from([0x61, 0xff, 0xe9]));
    const result = await loadPlanFiles([join(dir, 'none.yaml'), dir, join(dir, 'latin1.yaml')]);
    expect(result.ok ? [] : result.problems.map(({ message }) => message).toSorted()).toEqual(['cannot be read (ENOENT)', 'is not UTF-8 text', 'is not a file']);
  });
});
