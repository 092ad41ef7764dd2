/** What a number and its account may say beside who rings: called number shown, callers blocked, calls forwarded, recorded. */
import { describe, expect, it } from 'vitest';
import { compile, warnings } from '../../control-plane/core/routing/compile.ts';
import type { Account, Blocked, CallFacts, PrecedenceEntry, TrackingNumber } from '../../control-plane/core/routing/config.ts';
import { explain } from '../../control-plane/core/routing/explain.ts';
import type { Attempt, Plan } from '../../control-plane/core/routing/plan.ts';
import { recordingDecision } from '../../control-plane/core/routing/recording.ts';
import { textsToPrepare } from '../../control-plane/core/routing/whisper.ts';
import { callFrom, clinic, knowing, mainNumber, silent } from './routing-fixture.ts';

const of = (account: Partial<Account>, number: Partial<TrackingNumber> = {}): Account => ({ ...clinic(number), ...account });
const attemptsOf = (plan: Plan): readonly Attempt[] => (plan.steps['ring']?.kind === 'ring' ? plan.steps['ring'].attempts : []);
const why = (plan: Plan, subject: string): readonly string[] => plan.reasons.filter((reason) => reason.subject === subject).map((reason) => `${reason.taken ? '+' : '-'} ${reason.why}`);
const rung = (account: Account, facts = callFrom()): readonly string[] => attemptsOf(compile(account, facts)).map(({ target }) => (target.kind === 'device' ? target.device : target.number));
const blocked = (change: Partial<Blocked>): Account => of({ blocked: { numbers: ['+13125550177'], anonymous: true, action: 'reject', ...change } }, { announcementText: 'Hello' });

it('a clinic that says nothing of all this has the plan it always had', () => {
  expect(compile(clinic(), callFrom()).hash).toBe('10g0flcbsch');
  expect(compile(clinic({ announcementText: 'Hello', whisper: 'Call for {number} from {caller}' }), callFrom()).hash).toBe('2cwwpxjeb5q');
  expect(compile(of({}, { passCalledNumber: false }), callFrom(knowing({ '+13125550177': { name: 'Jo Ray', tags: ['vip'] } }))).hash).toBe('10g0flcbsch');
});

describe('The number a callee sees', () => {
  it.each([[undefined, '+13125550177'], [false, '+13125550177'], [true, '+12025550110']])('with passCalledNumber %s is %s', (pass, shown) => {
    const plan = compile(clinic(pass === undefined ? {} : { passCalledNumber: pass }), callFrom());
    expect(new Set(attemptsOf(plan).map(({ callerId }) => `${callerId.name} ${callerId.number}`))).toEqual(new Set([`Jo Ray ${shown}`]));
  });
});

describe('A blocked caller', () => {
  it('is refused unanswered, as declined', () => {
    const plan = compile(blocked({}), callFrom());
    expect([plan.first, plan.steps]).toEqual(['hang-up', { 'hang-up': { kind: 'hang-up', cause: 'declined' } }]);
    expect(why(plan, 'blocked')).toEqual(['+ +13125550177 is blocked']);
  });

  it.each(['13125550177', '+13125550177', '', 'anonymous'])('is known by “%s”', (callerNumber) => {
    expect(compile(blocked({}), callFrom({ callerNumber })).first).toBe('hang-up');
  });

  it('is nobody else, and nobody without a number when those are welcome', () => {
    expect(compile(blocked({}), callFrom({ callerNumber: '+13125550178' })).first).toBe('announcement');
    expect(compile(blocked({ anonymous: false }), callFrom({ callerNumber: '' })).first).toBe('announcement');
  });

  it('goes straight to voicemail, ringing nobody', () => {
    const plan = compile(blocked({ action: 'voicemail' }), callFrom());
    expect([plan.first, Object.keys(plan.steps)]).toEqual(['voicemail', ['voicemail', 'hang-up']]);
  });

  it('hears a message and is hung up', () => {
    const plan = compile(blocked({ action: 'message', message: { text: 'We do not take calls from this number.' } }), callFrom());
    expect(plan.steps).toEqual({
      announcement: { kind: 'announcement', media: ['file:We do not take calls from this number.'], on: { done: 'hang-up' } },
      'hang-up': { kind: 'hang-up', cause: 'declined' },
    });
    expect(textsToPrepare(blocked({ message: { text: 'Away' } }))).toContain('Away');
  });

  it.each([['message', {}, 'its audio is not ready'], ['voicemail', { voicemail: false }, 'the number has voicemail turned off']] as const)('is refused where %s is not to be had', (action, { voicemail = true }: { readonly voicemail?: boolean }, reason) => {
    const account = blocked({ action, message: { text: 'Away' } });
    const { voicemail: _, ...bare } = mainNumber;
    const plan = compile(voicemail ? account : { ...account, numbers: [bare] }, callFrom(silent));
    expect([plan.first, why(plan, action)]).toEqual(['hang-up', [`- ${reason}`]]);
  });
});

/** A call of hers. */
const jo = (owner: string): CallFacts => callFrom(knowing({ '+13125550177': { name: 'Jo Ray', owner } }));

describe('Precedence', () => {
  const trunks = ['t1'];
  const company = { number: '+12025550131', trunks };
  const forward = { number: '+12025550132', trunks, ringMs: 18_000 };
  const users: Account['users'] = clinic().users.map((user) => (user.id === 'ana' ? { ...user, forward: { number: '+12025550133', trunks } } : user));
  const all: readonly PrecedenceEntry[] = ['contact-owner', 'number-user', 'number-forward', 'company'];
  /** Ana's number, which rings nobody beside. */
  const anas = { users: [], user: 'ana' } as const;
  const everything = of({ users, company }, { forward, ...anas });

  it.each<readonly [string, Account, readonly string[]]>([
    ['nothing configured: the devices of its users', clinic(), ['101', '102', '+12025550121']],
    ['nothing configured: the devices of the one whose number it is', of({}, anas), ['101']],
    ['the company comes first of itself', everything, ['+12025550131']],
    ['then the number’s own forward', of({ users }, { forward, ...anas }), ['+12025550132']],
    ['then the forward of the one whose number it is', of({ users }, anas), ['+12025550133']],
    ['the only one of its users is whose number it is', of({ users }, { users: ['ana'] }), ['+12025550133', '101']],
    ['a number of several users is nobody’s own', of({ users }), ['101', '102', '+12025550121']],
    ['a contact’s owner only where the account says so', { ...everything, precedence: all }, ['102', '+12025550121']],
    ['in the order given', { ...everything, precedence: ['number-forward', 'company'] }, ['+12025550132']],
    ['entries that are left out are not looked at', { ...everything, precedence: ['number-forward'], numbers: [mainNumber] }, ['101', '102', '+12025550121']],
    ['the number’s users ring together with what is picked', of({ users, company }, { users: ['ana', 'ben'] }), ['+12025550131', '101', '102', '+12025550121']],
    ['a phone that is named twice rings once', { ...of({ users }, { user: 'ana', users: ['ben'] }), precedence: all }, ['102', '+12025550121']],
  ])('%s', (_, account, numbers) => {
    expect(rung(account, jo('ben'))).toEqual(numbers);
  });

  it('an owner’s forward instead of their devices', () => {
    expect(rung({ ...of({ users }, anas), precedence: all }, jo('ana'))).toEqual(['+12025550133']);
  });

  it.each(['13125550177', '+1 (312) 555-0177'])('knows a contact who calls as %s', (callerNumber) => {
    expect(rung({ ...everything, precedence: all }, { ...jo('ben'), callerNumber })).toEqual(['102', '+12025550121']);
  });

  it('tells of each entry why it was taken or not', () => {
    const plan = compile({ ...everything, precedence: all }, callFrom());
    expect(all.map((entry) => [entry, why(plan, entry)])).toEqual([
      ['contact-owner', ['- the caller is no contact']],
      ['number-user', ['+ calls of Ana are forwarded']],
      ['number-forward', ['- number-user comes first']],
      ['company', ['- number-user comes first']],
    ]);
  });

  it('a forward rings as long as it says, never longer than the number, and has a call connect of its own', () => {
    expect(attemptsOf(compile(of({}, { forward, users: [] }), callFrom())).map(({ ringMs, screening }) => [ringMs, screening?.key])).toEqual([[18_000, 'any']]);
    expect(attemptsOf(compile(of({}, { users: [], forward: { ...forward, ringMs: 99_000, callConnect: 'off' } }), callFrom())).map(({ ringMs, screening }) => [ringMs, screening?.key])).toEqual([[30_000, undefined]]);
  });

  it('a number that has no users but a forward rings that', () => {
    expect(rung(of({}, { users: [], forward }))).toEqual(['+12025550132']);
  });

  it('a forward that rings too long without call connect is warned of', () => {
    const account = of({}, { forward: { number: '+12025550132', trunks }, callConnect: 'off', users: [] });
    expect(warnings(account, account.numbers[0] ?? mainNumber)).toEqual(['forward, rings 30 s without call connect: its own voicemail may take the call; turn call connect on, or ring 15 to 20 s.']);
  });
});

describe('Whether a call is recorded', () => {
  const words = [undefined, 'yes', 'no', 'force', 'never'] as const;
  const every = words.flatMap((account) => words.flatMap((number) => words.map((user) => ({ account, number, user }))));

  it.each(every)('account $account, number $number, user $user', ({ account, number, user }) => {
    const said = [account, number, user].filter((word) => word !== undefined);
    const expected = said.includes('never') ? false : said.includes('force') ? true : said.at(-1) === 'yes';
    expect(recordingDecision({ account, number, user }).recorded).toBe(expected);
  });

  it('is said with whose word it was', () => {
    expect(recordingDecision({ account: 'never', number: 'force' }).why).toBe('the account says never, which nothing overrides');
    expect(recordingDecision({ account: 'yes', user: 'no' }).why).toBe('the user says no');
    expect(recordingDecision({}).why).toBeUndefined();
  });
});

describe('A recorded call', () => {
  const recordingAnnouncement = { text: 'This call is recorded.' };
  const said = 'file:This call is recorded.';

  it('announces it to the caller before ringing and to each callee last before the bridge, key or none', () => {
    const plan = compile(clinic({ recording: 'yes', recordingAnnouncement, announcementText: 'Hello', whisperFile: 'file:whisper' }), callFrom());
    expect(plan.steps['announcement']).toEqual({ kind: 'announcement', media: ['file:Hello', said], announcesRecording: true, on: { done: 'ring' } });
    expect(attemptsOf(plan).map(({ whisper, recording, screening }) => [whisper, recording, screening !== undefined])).toEqual([
      [['file:whisper', said], { announced: true }, false], [['file:whisper', said], { announced: true }, false], [[said], { announced: true }, true],
    ]);
    expect(textsToPrepare(clinic({ recordingAnnouncement }))).toContain('This call is recorded.');
    expect(explain(plan)).toContain('the call is recorded, once both have heard so');
  });

  it('without an announcement is recorded all the same', () => {
    const plan = compile(clinic({ recording: 'force' }), callFrom());
    expect([plan.first, new Set(attemptsOf(plan).map(({ recording }) => recording?.announced))]).toEqual(['ring', new Set([false])]);
  });

  it('is not recorded while the audio of its announcement is not ready, force or not', () => {
    const plan = compile(clinic({ recording: 'force', recordingAnnouncement }), callFrom(silent));
    expect([plan.first, attemptsOf(plan).filter(({ recording }) => recording !== undefined)]).toEqual(['ring', []]);
    expect(why(plan, 'recording')).toEqual(['- the number says force, which nothing overrides; the audio of its announcement is not ready, so the call is not recorded']);
  });

  it('is one for some users and not for others, with each one’s reason', () => {
    const users = clinic().users.map((user) => (user.id === 'ben' ? { ...user, recording: 'never' as const } : user));
    const plan = compile(of({ users }, { recording: 'yes' }), callFrom());
    expect(attemptsOf(plan).map(({ recording }) => recording !== undefined)).toEqual([true, false, false]);
    expect(why(plan, 'recording')).toEqual(['+ desk: the number says yes', '- desk, mobile: the user says never, which nothing overrides']);
  });

  it('announces nothing where nobody who rings is recorded', () => {
    expect(compile(clinic({ recording: 'no', recordingAnnouncement }), callFrom()).first).toBe('ring');
  });
});
