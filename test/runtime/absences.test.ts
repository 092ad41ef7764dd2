/** Phones and trunks that are gone: who is missed, when it is told, and that it is told once. */
import { describe, expect, it } from 'vitest';
import type { Registration } from '../../control-plane/http/ports.ts';
import { look, type Watched } from '../../control-plane/notify/absences.ts';

type State = Registration['state'];
const registration = (state: State, id = '101', kind: Registration['kind'] = 'device'): Registration =>
  ({ account: 'clinic', kind, id, state, contact: null, userAgent: null, since: null, roundTripMs: null });

const graceMs = 60_000;
const lookEveryMs = 10_000;

/** One look each ten seconds; what was told at which second. `…` stands for a restart: what is remembered goes through JSON. */
function told(states: readonly (State | '…')[], kind: Registration['kind'] = 'device', start: Watched = {}): readonly string[] {
  let watched = start;
  let now = 0;
  const said: string[] = [];
  for (const state of states) {
    if (state === '…') {
      watched = JSON.parse(JSON.stringify(watched)) as Watched;
      continue;
    }
    const looked = look(watched, [registration(state, '101', kind)], () => graceMs, now);
    watched = looked.watched;
    said.push(...looked.absences.map((absence) => `${now / 1000}: ${absence.state} since ${absence.goneSince / 1000}`));
    now += lookEveryMs;
  }
  return said;
}
const times = (count: number, state: State): readonly State[] => Array.from({ length: count }, () => state);

describe('A phone', () => {
  it('that is gone for the grace time is told of once, and once when it is back', () => {
    expect(told(['registered', ...times(20, 'unregistered'), ...times(5, 'registered'), ...times(20, 'unregistered')])).toEqual(['70: gone since 10', '210: back since 10', '320: gone since 260']);
  });

  it('that is back within the grace time was never gone', () => {
    expect(told(['registered', ...times(6, 'unregistered'), ...times(5, 'registered'), ...times(6, 'unregistered'), 'registered'])).toEqual([]);
  });

  it('that never was there is not missed', () => {
    expect(told(times(20, 'unregistered'))).toEqual([]);
  });

  it('that is still there after a restart is not spoken of', () => {
    expect(told(['registered', '…', ...times(10, 'registered')])).toEqual([]);
  });

  it('that left while nobody looked is told of when the grace time has passed since', () => {
    expect(told(['registered', '…', ...times(10, 'unregistered')])).toEqual(['70: gone since 10']);
  });

  it('that was gone before a restart is not told of again, and is when it comes back', () => {
    expect(told(['registered', ...times(8, 'unregistered'), '…', ...times(8, 'unregistered'), 'registered'])).toEqual(['70: gone since 10', '170: back since 10']);
  });

  it('that was missed for some of the grace time before a restart waits for the rest alone', () => {
    expect(told(['registered', ...times(3, 'unregistered'), '…', ...times(10, 'unregistered')])).toEqual(['70: gone since 10']);
  });

  it('that is no longer configured is forgotten', () => {
    const there = look({}, [registration('registered'), registration('registered', '102')], () => graceMs, 0);
    const removed = look(there.watched, [registration('registered', '102')], () => graceMs, 1);
    expect([Object.keys(there.watched), Object.keys(removed.watched)]).toEqual([['clinic/device/101', 'clinic/device/102'], ['clinic/device/102']]);
    expect(look(removed.watched, [registration('unregistered'), registration('registered', '102')], () => 0, 2).absences).toEqual([]);
  });

  it('that stays as it is leaves what is remembered as it is', () => {
    const { watched } = look({}, [registration('registered')], () => graceMs, 0);
    expect(look(watched, [registration('registered')], () => graceMs, 9).watched).toBe(watched);
  });
});

describe('A trunk', () => {
  it.each(['unreachable', 'rejected'] as const)('that was reached and is %s is told of, and when it is back', (state) => {
    expect(told(['reachable', ...times(8, state), 'registered'], 'trunk')).toEqual(['70: gone since 10', '90: back since 10']);
  });

  it('of which the switch knows nothing is neither gone nor back', () => {
    expect(told(['registered', ...times(20, 'unknown')], 'trunk')).toEqual([]);
    expect(told(['registered', ...times(8, 'rejected'), ...times(5, 'unknown'), 'registered'], 'trunk')).toEqual(['70: gone since 10', '140: back since 10']);
  });
});

const both = (state: State): readonly Registration[] => [registration(state), { ...registration(state), account: 'other' }];
const grace = (account: string): number => (account === 'other' ? 5 : 50);

it('Each is held to the grace time of its own account', () => {
  const there = look({}, both('registered'), grace, 0);
  const gone = look(there.watched, both('unregistered'), grace, 10);
  expect(look(gone.watched, both('unregistered'), grace, 20).absences.map(({ registration: { account } }) => account)).toEqual(['other']);
});
