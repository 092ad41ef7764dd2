/** D12: what a minute of a call costs, by where its route can lead. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../control-plane/core/routing/compile.ts';
import type { Account, TrackingNumber } from '../../control-plane/core/routing/config.ts';
import { priceOf, priceText, rateOfNumber, rateOfPlan, type Rates } from '../../control-plane/core/routing/rate.ts';
import { callFrom, clinic, mainNumber, queue } from './routing-fixture.ts';

const price = (text: string): number => priceOf(text) ?? expect.fail(`${text} is no price`);
const prices = (list: Readonly<Record<string, string>>) => Object.entries(list).map(([prefix, text]) => ({ prefix, perMinute: price(text) }));
const rates: Rates = {
  currency: 'USD', inbound: prices({ '+1': '0.0085', '+1800': '0.022' }),
  outbound: prices({ '+1': '0.01', '+1202': '0.007', '+44': '0.02', '+447': '0.31' }),
};
const priced = (change: Partial<TrackingNumber> = {}, more: Partial<Account> = {}): Account => ({ ...clinic(change), outbound: { countries: ['US', 'GB'], premium: true, concurrentCalls: 9 }, rates, ...more });
const ofPlan = (account: Account) => rateOfPlan(account, compile(account, callFrom()));
const ofNumber = (account: Account) => rateOfNumber(account, account.numbers[0] ?? mainNumber);
const waiting = (agent: string): Account => priced({ users: [], route: { to: 'queue', id: 'desk' } }, { queues: new Map([['desk', queue({}, { tiers: [{ agents: [{ agent, share: 1 }], delayMs: 0 }] })]]) });
const to = (number: string) => ({ number, trunks: ['t1'] });

describe('a price', () => {
  it('is read and written without being rounded', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 999_999_999 }), (units) => { expect(priceOf(priceText(units))).toBe(units); }));
    expect(['0', '1', '0.1', '0.0085', '0.00001', '12.50'].map((text) => priceText(price(text)))).toEqual(['0.00', '1.00', '0.10', '0.0085', '0.00001', '12.50']);
  });

  it.each(['', '-1', '1e3', '.5', '0.000001', '1,5', ' 1', '٣'])('is not “%s”', (text) => { expect(priceOf(text)).toBeUndefined(); });

  it('adds up as people add', () => {
    expect(priceText(price('0.1') + price('0.2'))).toBe('0.30');
  });
});

describe('the rate of a call', () => {
  it('is not known where the account has no prices', () => {
    expect(ofPlan(clinic())).toBeNull();
    expect(ofNumber(clinic())).toBeNull();
  });

  it('is the call in, and the call out where somebody is rung over a trunk', () => {
    expect(ofPlan(priced())).toEqual({ currency: 'USD', inbound: price('0.0085'), lowest: price('0.0085'), highest: price('0.0155'), legs: [{ number: '+12025550121', prefix: '+1202', perMinute: price('0.007') }], unknown: [] });
  });

  it('through a queue is that of its agents’ phones', () => {
    for (const of of [ofPlan, ofNumber]) {
      expect(of(waiting('ana'))).toMatchObject({ lowest: price('0.0085'), highest: price('0.0085'), legs: [] });
      expect(of(waiting('ben'))).toMatchObject({ lowest: price('0.0085'), highest: price('0.0155'), legs: [{ number: '+12025550121' }] });
    }
  });

  it('has no cheaper end where every phone is outside', () => {
    expect(ofPlan(priced({ forward: to('+442079460000'), users: [] }))).toMatchObject({ lowest: price('0.0285'), highest: price('0.0285') });
  });

  it('goes by the longest prefix, whatever comes first in the list', () => {
    expect(ofPlan(priced({ forward: to('+447400123456'), users: [] }))?.legs).toEqual([{ number: '+447400123456', prefix: '+447', perMinute: price('0.31') }]);
    const turned = { ...rates, outbound: rates.outbound.toReversed() };
    expect(ofPlan(priced({ forward: to('+447400123456'), users: [] }, { rates: turned }))?.legs[0]?.prefix).toBe('+447');
  });

  it('of a toll-free number is another', () => {
    expect(ofNumber(priced({ e164: '+18005550110', users: ['ana'] }))).toMatchObject({ inbound: price('0.022'), lowest: price('0.022'), highest: price('0.022') });
  });

  it('names the numbers that no price is known for, and leaves them out', () => {
    const foreign = ofPlan(priced({ forward: to('+33123456789') }, { outbound: { countries: ['FR', 'US'], premium: true, concurrentCalls: 9 } }));
    expect(foreign).toMatchObject({ unknown: ['+33123456789'], highest: price('0.0155') });
    expect(ofPlan(priced({}, { rates: { ...rates, inbound: prices({ '+44': '0.01' }) } }))).toMatchObject({ inbound: null, lowest: null, highest: null, unknown: ['+12025550110'] });
    expect(ofPlan(priced({ users: [], forward: to('+12025550199') }, { rates: { ...rates, outbound: [] } }))).toMatchObject({ lowest: null, unknown: ['+12025550199'] });
  });

  it('in costs nothing where the account names no price for it', () => {
    expect(ofPlan(priced({}, { rates: { ...rates, inbound: [] } }))).toMatchObject({ inbound: 0, lowest: 0, highest: price('0.007') });
  });

  it('of a number is of every way that a call to it may go, of a plan the one that it goes', () => {
    const account = priced(
      { route: { to: 'menu', id: 'main' }, noAnswer: { to: 'receiving-number', id: 'centre' } },
      {
        receivingNumbers: new Map([['centre', { id: 'centre', label: 'Call centre', ...to('+442079460000') }], ['cell', { id: 'cell', label: 'Mobile', ...to('+447400123456'), noAnswer: { to: 'voicemail' } }]]),
        menus: new Map([['main', { id: 'main', name: 'Main', prompt: {}, options: { 1: { to: 'receiving-number', id: 'cell' } }, dialByExtension: false, tries: 1, waitMs: 5000, betweenKeysMs: 1000 }]]),
        blocked: { numbers: ['+13125550177'], anonymous: false, action: 'reject' },
      },
    );
    expect(ofNumber(account)).toMatchObject({ lowest: price('0.0285'), highest: price('0.3185') });
    expect(ofNumber(account)?.legs.map(({ number }) => number).toSorted()).toEqual(['+442079460000', '+447400123456']);
    expect(ofPlan(account)).toMatchObject({ legs: [], lowest: price('0.0085'), highest: price('0.0085') });
  });

  it('counts whoever may look after a caller, where they come first', () => {
    const users = clinic().users.map((user) => (user.id === 'cy' ? { ...user, forward: to('+447400123456') } : user));
    expect(ofNumber(priced({}, { users }))?.legs.map(({ number }) => number)).toEqual(['+12025550121']);
    expect(ofNumber(priced({}, { users, precedence: ['contact-owner', 'number-forward', 'company'] }))?.legs.map(({ number }) => number).toSorted()).toEqual(['+12025550121', '+447400123456']);
    expect(ofNumber(priced({ users: [] }, { users, precedence: ['contact-owner'] }))?.legs).toEqual([]);
  });
});
