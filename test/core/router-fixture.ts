/** A call from San Francisco on a Thursday morning, for tests of conditions and routers. */
import type { RouterFacts } from '../../control-plane/core/routing/router.ts';

export function facts(change: Partial<RouterFacts> = {}): RouterFacts {
  return {
    caller: { number: '+14155550177', place: () => ({ country: 'US', region: 'US-CA', areaCode: '415' }) },
    dialled: { number: '+12025550110', label: 'Main line' },
    contact: { name: 'Jo Ray', owner: 'ben', tags: ['vip'], fields: { insurance: 'Acme' } },
    tags: ['after-hours'],
    local: { date: '2026-11-26', yesterday: '2026-11-25', weekday: 'thu', minutes: 9 * 60 + 12 },
    schedule: (id) => (id === 'main' ? { open: false, why: 'closed: Thanksgiving Day', special: { kind: 'holiday', name: 'Thanksgiving Day' } } : id === 'nights' ? { open: true, why: 'open: Thursday 00:00 to 24:00' } : undefined),
    mode: 'normal',
    secondsSinceLastCall: 300,
    agent: (id) => ({ ana: 'available', ben: 'busy' } as const)[id as 'ana'],
    at: Date.parse('2026-11-26T14:12:00Z'),
    draw: () => 0.5,
    ...change,
  };
}
