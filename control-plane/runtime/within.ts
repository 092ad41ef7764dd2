import type { Ms } from '../core/time.ts';
import type { Clock } from './clock.ts';

/** The promise, or a rejection when it has not settled in time. */
export function within<T>(clock: Pick<Clock, 'now' | 'setTimer'>, ms: Ms, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const cancel = clock.setTimer(clock.now() + ms, () => { reject(new Error(`There was no answer within ${ms} ms.`)); });
  return Promise.race([promise, late]).finally(cancel);
}
