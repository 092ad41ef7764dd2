/** Whose greeting a caller hears, and what explain says of it. */
import { describe, expect, it } from 'vitest';
import { compile } from '../../control-plane/core/routing/compile.ts';
import type { Account, TrackingNumber } from '../../control-plane/core/routing/config.ts';
import { onlyUser } from '../../control-plane/core/routing/greeting.ts';
import type { Plan } from '../../control-plane/core/routing/plan.ts';
import { textsToPrepare } from '../../control-plane/core/routing/whisper.ts';
import { callFrom, clinic, knowing, silent } from './routing-fixture.ts';

const voicemail = { greeting: { media: 'file:number' }, maxMs: 1000, silenceMs: 1000 } as const;
const bare = { maxMs: 1000, silenceMs: 1000 } as const;
/** Ana and Ben have greetings of their own, Ben also a mobile; so have the number and the business. */
const everyone = (number: Partial<TrackingNumber> = {}, account: Partial<Account> = {}): Account => {
  const base = clinic({ voicemail, ...number });
  return { ...base, users: base.users.map((user) => ({ ...user, greeting: { media: `file:${user.id}` as const } })), greeting: { media: 'file:business' }, ...account };
};
const greetingOf = (plan: Plan): unknown => (plan.steps['voicemail']?.kind === 'voicemail' ? plan.steps['voicemail'].greeting[0] : undefined);
const heard = (account: Account, facts = callFrom()): readonly unknown[] => {
  const plan = compile(account, facts);
  return [greetingOf(plan), ...plan.reasons.filter(({ subject }) => subject === 'greeting').map(({ taken, why }) => `${taken ? '+' : '-'} ${why}`)];
};
const own = 'their own is for calls that ring nobody else';

describe('The greeting is', () => {
  it('of the one user whose phones ring, however many', () => {
    expect(heard(everyone({ users: ['ben'] }))).toEqual(['file:ben', '+ Ben’s own: the call rings nobody else']);
    expect(heard(everyone({ users: ['ana', 'cy'] }))).toEqual(['file:ana', '+ Ana’s own: the call rings nobody else']);
  });

  it('of the number when it rings more than one, and says whose is not heard', () => {
    expect(heard(everyone())).toEqual(['file:number', `- Ana, Ben: ${own}`, '+ the number’s']);
  });

  it('of the owner when the precedence chose the contact’s owner, forwarded or not', () => {
    const known = knowing({ '+13125550177': { name: 'Jo Ray', owner: 'ben' } });
    const precedence = ['contact-owner'] as const;
    expect(heard(everyone({ users: [], user: 'ana' }, { precedence }), callFrom(known))).toEqual(['file:ben', '+ Ben’s own: the call rings nobody else']);
    expect(heard(everyone({ users: [], user: 'ana' }, { precedence }), callFrom({ ...known, callerNumber: '+13125550178' }))[0]).toBe('file:ana');
    const forwarded = everyone({ users: [], user: 'ana' }, { precedence });
    const users = forwarded.users.map((user) => (user.id === 'ben' ? { ...user, forward: { number: '+12025550133', trunks: ['t1'] } } : user));
    expect(heard({ ...forwarded, users }, callFrom(known))[0]).toBe('file:ben');
  });

  it.each<readonly [string, Account]>([
    ['a number forwarded to nobody’s own phone', everyone({ users: [], user: 'ana', forward: { number: '+12025550132', trunks: ['t1'] } })],
    ['the company’s phone', everyone({ users: [], user: 'ana' }, { company: { number: '+12025550131', trunks: ['t1'] } })],
    ['a timeout that rings nobody', everyone({ users: ['ana'], ringMs: 3000 })],
    ['a user without a phone', everyone({ users: ['cy'] })],
    ['a blocked caller', everyone({ users: ['ana'] }, { blocked: { numbers: ['+13125550177'], anonymous: false, action: 'voicemail' } })],
  ])('of the number for %s', (_, account) => {
    expect(heard(account)).toEqual(['file:number', '+ the number’s']);
  });

  it('of the business where neither person nor number has one', () => {
    const account: Account = { ...clinic({ voicemail: bare, users: ['ana'] }), greeting: { media: 'file:business' } };
    expect(heard(account)).toEqual(['file:business', '+ the business’s: the number has none']);
  });

  it('the switch’s own where nobody has one, and no word of it', () => {
    expect(heard(clinic({ voicemail: bare }))).toEqual(['sound:vm-intro']);
  });

  it('the next that can be played while one is not spoken yet', () => {
    const account = everyone({ users: ['ana'], voicemail: { ...bare, greeting: { text: 'The number' } } });
    const users = account.users.map((user) => ({ ...user, greeting: { text: 'Ana speaking' } }));
    expect(heard({ ...account, users }, callFrom(silent))).toEqual([
      'file:business', '- Ana’s own: the call rings nobody else; its audio is not ready', '- the number’s; its audio is not ready', '+ the business’s: the number has none',
    ]);
    expect(heard({ ...account, users })).toEqual(['file:Ana speaking', '+ Ana’s own: the call rings nobody else']);
    expect(textsToPrepare({ ...account, users, greeting: { text: 'The business' } })).toEqual(expect.arrayContaining(['The number', 'The business', 'Ana speaking']));
  });
});

describe('A call was for one user', () => {
  it.each<readonly [string, readonly string[], string | undefined]>([
    ['when all it rang is theirs', ['ana', 'ana'], 'ana'],
    ['not when it rang another’s', ['ana', 'ben'], undefined],
    ['not when it also rang nobody’s own', ['ana', ''], undefined],
    ['not when it rang nobody’s own', [''], undefined],
    ['not when it rang nothing', [], undefined],
  ])('%s', (_, users, whom) => {
    expect(onlyUser(users.map((user) => ({ user })))).toBe(whom);
  });
});
