/** What the database keeps of webhooks: on a server, and in the process. */
import { beforeEach, afterEach, describe, expect, it } from 'vitest';
import type { LiveEvent } from '../../control-plane/events/catalogue.ts';
import type { WebhookState } from '../../control-plane/store/event-ports.ts';
import { CursorError } from '../../control-plane/store/ports.ts';
import type { SqlDatabase } from '../../control-plane/store/postgres/open-database.ts';
import type { DatabaseFixture, DatabasePlace } from './database-fixture.ts';

const state = (cursor: string, about: Partial<WebhookState> = {}): WebhookState => ({ account: 'clinic', webhook: 'crm', cursor, failingSince: null, trouble: null, deliveredAt: null, disabledAt: null, ...about });
const event = (n: number): LiveEvent => ({ id: `${n}-0`, at: 1000 * n, account: 'clinic', type: 'agent.state', data: { agent: `a\0${n}`, state: 'idle' } });
const ofCrm = { account: 'clinic', webhook: 'crm' } as const;

export function webhooksContract(fixture: () => DatabaseFixture): void {
  describe('webhooks', () => {
    let place: DatabasePlace;
    let db: SqlDatabase;
    beforeEach(async () => {
      place = await fixture().place();
      db = await place.open();
    });
    afterEach(() => place.dispose());
    const bury = (n: number, webhook = 'crm'): Promise<void> => db.webhooks.bury({ account: 'clinic', webhook, event: event(n), attempts: 8, why: 'It answered 500.', diedAt: 5000 + n }, state(`${n}-0`, { webhook, failingSince: 7 }));

    it('go on where they were, and never back', async () => {
      await db.webhooks.save(state('1763740000000-3', { deliveredAt: 5 }));
      await db.webhooks.save(state('1763740000000-12', { trouble: 'x\0y', failingSince: 9, disabledAt: 10 }));
      await db.webhooks.save(state('1763739999999-99', { deliveredAt: 11 }));
      await db.webhooks.save(state('1763740000000-11', { deliveredAt: 12 }));
      expect(await db.webhooks.states()).toEqual([state('1763740000000-12', { deliveredAt: 12 })]);
      await db.webhooks.save(state('1763740000001-0', { webhook: 'other', trouble: 'x\0y', disabledAt: 10 }));
      expect((await db.webhooks.states())[1]).toMatchObject({ webhook: 'other', trouble: 'x\uFFFDy', disabledAt: 10 });
    });

    it('keep what was given up with how far they are, once each, newest first and in pages', async () => {
      for (const n of [1, 2, 3]) await bury(n);
      await bury(2);
      await bury(3, 'other');
      expect(await db.webhooks.states()).toMatchObject([{ webhook: 'crm', cursor: '3-0', failingSince: 7 }, { webhook: 'other', cursor: '3-0' }]);
      const first = await db.webhooks.deadLetters(ofCrm, { limit: 2 });
      expect(first.items.map(({ event: { id }, attempts, why, diedAt, replayAt }) => [id, attempts, why, diedAt, replayAt])).toEqual([['3-0', 8, 'It answered 500.', 5003, null], ['2-0', 8, 'It answered 500.', 5002, null]]);
      expect((await db.webhooks.deadLetters(ofCrm, { limit: 2, cursor: first.next ?? '' })).items).toMatchObject([{ event: { ...event(1), data: { agent: 'a\uFFFD1', state: 'idle' } } }]);
      expect((await db.webhooks.deadLetters({ ...ofCrm, from: 2000, to: 2000 }, { limit: 9 })).items).toHaveLength(1);
      await expect(db.webhooks.deadLetters(ofCrm, { limit: 2, cursor: 'x' })).rejects.toThrow(CursorError);
    });

    it('send again what is asked for, the oldest event first, until it is taken', async () => {
      for (const n of [3, 1, 2]) await bury(n);
      expect(await db.webhooks.replay({ ...ofCrm, from: 2000 }, 77)).toBe(2);
      expect(await db.webhooks.replay({ ...ofCrm, account: 'another' }, 77)).toBe(0);
      const asked = await db.webhooks.toReplay(10);
      expect(asked.map(({ event: { id }, replayAt }) => [id, replayAt])).toEqual([['2-0', 77], ['3-0', 77]]);
      await db.webhooks.replayed(asked[0]?.seq ?? 0, null);
      await db.webhooks.replayed(asked[1]?.seq ?? 0, 'It answered 503.');
      expect(await db.webhooks.toReplay(10)).toEqual([]);
      expect((await db.webhooks.deadLetters(ofCrm, { limit: 9 })).items.map(({ event: { id }, attempts, why }) => [id, attempts, why])).toEqual([['1-0', 8, 'It answered 500.'], ['3-0', 9, 'It answered 503.']]);
      expect(await db.webhooks.replay({ ...ofCrm, seq: asked[1]?.seq ?? 0 }, 78)).toBe(1);
    });

    it('are forgotten with all of theirs, and dead letters after a time', async () => {
      await bury(1);
      await bury(2);
      await bury(2, 'other');
      expect(await db.webhooks.removeBefore(5002)).toBe(1);
      await db.webhooks.forget('clinic', 'crm');
      expect([(await db.webhooks.states()).map(({ webhook }) => webhook), (await db.webhooks.deadLetters(ofCrm, { limit: 9 })).items, (await db.webhooks.deadLetters({ ...ofCrm, webhook: 'other' }, { limit: 9 })).items.length]).toEqual([['other'], [], 1]);
    });
  });
}
