import { describe, expect, it, vi } from 'vitest';
import { realClock } from '../../control-plane/runtime/clock.ts';
import { virtualClock } from '../../control-plane/runtime/virtual-clock.ts';
import { maskNumber } from '../../control-plane/telemetry/log.ts';

describe('The clock', () => {
  it('does not jump when the system clock is set', () => {
    const clock = realClock();
    const before = clock.now();
    const set = vi.spyOn(Date, 'now').mockReturnValue(0);
    expect(clock.now() - before).toBeLessThan(1000);
    expect(clock.now()).toBeGreaterThanOrEqual(before);
    set.mockRestore();
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
  it('goes deadline by deadline, in the order timers were armed', () => {
    const clock = virtualClock(0);
    const ran: string[] = [];
    clock.setTimer(20, () => ran.push(`b@${clock.now()}`));
    clock.setTimer(10, () => { ran.push(`a@${clock.now()}`); clock.setTimer(10, () => ran.push('a2')); });
    clock.setTimer(20, () => ran.push('c'));
    expect(clock.advanceToNext()).toBe(true);
    expect(ran).toEqual(['a@10', 'a2']);
    clock.advanceTo(50);
    expect(ran).toEqual(['a@10', 'a2', 'b@20', 'c']);
    expect(clock.now()).toBe(50);
    expect(clock.advanceToNext()).toBe(false);
  });
});

describe('The log', () => {
  it('never writes a whole phone number, and leaves extensions readable', () => {
    expect(maskNumber('+15551230001')).toBe('+1555***0001');
    expect(maskNumber('5551230001')).toBe('5551***0001');
    expect(maskNumber('101')).toBe('101');
  });
});
