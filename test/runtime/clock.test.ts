import { describe, expect, it, vi } from 'vitest';
import { realClock } from '../../control-plane/runtime/clock.ts';
import { createLog, maskNumber } from '../../control-plane/telemetry/log.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

describe('The clock', () => {
  it('does not jump when the system clock is set', () => {
    const clock = realClock();
    const before = clock.now();
    const set = vi.spyOn(Date, 'now').mockReturnValue(0);
    expect(clock.now() - before).toBeLessThan(1000);
    expect(clock.now()).toBeGreaterThanOrEqual(before);
    set.mockRestore();
  });

  it('tells opening hours by the clock on the wall, also when that was set since the start, and says so', () => {
    const clock = realClock();
    expect(clock.problem()).toBeNull();
    const hourAgo = clock.now() - 3_600_000;
    const set = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 7_200_000);
    expect(Math.round((clock.wallAt(hourAgo) - hourAgo) / 1000)).toBe(7_200);
    expect(clock.problem()).toMatch(/set by 7200 s since Frontdesk started.*Restart/);
    set.mockRestore();
    expect(clock.problem()).toBeNull();
  });

  it('never runs a timer before its time, nor a cancelled one', async () => {
    const clock = realClock();
    const late: number[] = [];
    const cancel = clock.setTimer(clock.now() + 5, () => late.push(-1));
    cancel();
    await Promise.all(Array.from({ length: 50 }, (_, i) => {
      const at = clock.now() + i % 10;
      return new Promise<void>((resolve) => { clock.setTimer(at, () => { late.push(clock.now() - at); resolve(); }); });
    }));
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
  });
});

describe('A virtual clock', () => {
  it('goes deadline by deadline, in the order timers were armed', async () => {
    const clock = createVirtualClock(0);
    const ran: string[] = [];
    clock.setTimer(20, () => ran.push(`b@${clock.now()}`));
    clock.setTimer(10, () => { ran.push(`a@${clock.now()}`); clock.setTimer(10, () => ran.push('a2')); });
    clock.setTimer(20, () => ran.push('c'));
    expect(clock.step()).toBe(true);
    expect(ran).toEqual(['a@10']);
    expect(clock.step(15)).toBe(true);
    expect(clock.step(15)).toBe(false);
    expect(ran).toEqual(['a@10', 'a2']);
    await clock.pass(40);
    expect(ran).toEqual(['a@10', 'a2', 'b@20', 'c']);
    expect(clock.now()).toBe(50);
    expect(clock.armed()).toBe(0);
  });
});

const lines = (numbers: boolean): readonly unknown[] => {
  const written: string[] = [];
  const log = createLog({ numbers, destination: { write: (line) => { written.push(line); } } });
  log.error({ call: 'fd058a132f-1795282756.146', caller: { number: '+15551230001', name: 'Pat' }, error: new Error('sip:15551230001@10.0.0.7 is gone'), nested: [{ to: '5551230001' }] }, 'A call to +15551230001 was sent to PJSIP/15551230001@carrier, 15551230001. It began 2026-11-21T10:00:00.123Z');
  log.error({ url: 'redis://:s3cret@host:6379', password: 's3cret', key: 's3cret' }, 'http://frontdesk:s3cret@host:8088/ari does not answer');
  return written.map((line) => JSON.parse(line) as unknown);
};

describe('The log', () => {
  it('never writes a whole phone number, and leaves extensions readable', () => {
    expect(['+15551230001', '5551230001', '1 (555) 123-0001', '101', '911', ''].map(maskNumber)).toEqual(['+xxxxxxxxx01', 'xxxxxxxx01', 'x (xxx) xxx-xx01', '101', '911', '']);
  });

  it('masks numbers wherever they stand, and leaves ids, times and extensions as they are', () => {
    expect(lines(false)[0]).toMatchObject({
      call: 'fd058a132f-1795282756.146', caller: '+xxxxxxxxx01', nested: [{ to: 'xxxxxxxx01' }], error: expect.stringContaining('sip:xxxxxxxxx01@10.0.0.7 is gone') as string,
      msg: 'A call to +xxxxxxxxx01 was sent to PJSIP/xxxxxxxxx01@carrier, xxxxxxxxx01. It began 2026-11-21T10:00:00.123Z',
    });
    expect(lines(true)[0]).toMatchObject({ caller: { number: '+15551230001' }, msg: expect.stringContaining('A call to +15551230001 was sent') as string });
  });

  it('has no secret in it, whether numbers are asked for or not', () => {
    for (const numbers of [true, false]) {
      expect(JSON.stringify(lines(numbers))).not.toContain('s3cret');
      expect(lines(numbers)[1]).toMatchObject({ password: '[secret]', url: 'redis://:[secret]@host:6379', msg: 'http://frontdesk:[secret]@host:8088/ari does not answer' });
    }
  });
});
