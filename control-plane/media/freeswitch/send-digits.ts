import { callIdOf } from '../../core/ids.ts';
import { betweenDigitsMs, digitMs, digitsMs } from '../../core/call/digits.ts';
import type { Ms } from '../../core/time.ts';
import type { EslClient } from './esl/esl-client.ts';
import type { EslResult } from './esl/esl-result.ts';
import type { Leg } from './legs.ts';

const isPause = (digit: string): boolean => digit === 'w' || digit === 'W';

/**
 * By the leg's own thread, delay and all: who has hung up is sent no more, and a dead controller's keys still go. Silence is sent
 * meanwhile: a leg that sends no audio sends its next key ten times later than it should (tried on 1.11.1).
 */
export async function sendDigits(esl: EslClient, leg: Leg, digits: string, delayMs: Ms): Promise<EslResult> {
  const keys = Array.from(digits, (digit) => (isPause(digit) ? `sleep:${digitsMs(digit)}` : `send_dtmf:${digit}@${digitMs},sleep:${digitMs + betweenDigitsMs}`));
  const steps = ['set:send_silence_when_idle=400', ...(delayMs > 0 ? [`sleep:${delayMs}`] : []), ...keys, 'unset:send_silence_when_idle'];
  return esl.execute(leg.id, 'execute_extension', `${steps.join(',')} inline`, { until: 'queued', timeoutMs: 5000, order: callIdOf(leg.id) });
}
