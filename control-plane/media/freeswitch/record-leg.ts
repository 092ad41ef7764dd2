/**
 * What one leg says, recorded to a file. It is beside what else the leg does and hears, goes on in a bridge, and ends with the leg.
 * The application `record` is not for us: it hangs up a caller who is taken elsewhere, and one whose file cannot be written.
 */
import { callIdOf, type LegId } from '../../core/ids.ts';
import { second, type Ms } from '../../core/time.ts';
import type { EslClient } from './esl/esl-client.ts';
import type { EslResult } from './esl/esl-result.ts';

export interface Limits {
  readonly maxMs: Ms;
  readonly silenceMs: Ms;
}

/** One second of telephone audio: what a switch that dies may lose. */
const writtenAtOnce = 16_384;

const settings: Readonly<Record<string, string>> = {
  RECORD_READ_ONLY: 'true',
  // Both of two legs fit together, whatever their codecs.
  record_sample_rate: '8000',
  enable_file_write_buffering: String(writtenAtOnce),
  // From the first packet on: with 25, which is the switch's own, half a second is kept back and may be lost.
  RECORD_PRE_BUFFER_FRAMES: '1',
  // By the leg's own thread: what cannot be written ends the recording at once and not with the call.
  RECORD_USE_THREAD: 'false',
};

/** Below this nobody speaks. */
const loudness = '200';

export function recordLeg(esl: EslClient, leg: LegId, file: string, limits?: Limits): Promise<EslResult> {
  const silence = limits === undefined ? '' : String(limits.silenceMs);
  const variables = Object.entries({
    ...settings,
    ...(limits === undefined ? {} : { RECORD_INITIAL_TIMEOUT_MS: silence, RECORD_FINAL_TIMEOUT_MS: silence, RECORD_SILENCE_THRESHOLD: loudness }),
  }).map(([name, value]) => `${name}=${value}`);
  // Whole seconds of the switch's clock, of which the first may be nearly over.
  const seconds = limits === undefined ? 0 : Math.ceil(limits.maxMs / second) + 1;
  return esl.api('uuid_record', { leg, action: 'start', file, seconds: String(seconds), variables: { raw: `{${variables.join(',')}}` } }, { order: callIdOf(leg) });
}

export function stopRecording(esl: EslClient, leg: LegId, file: string): Promise<EslResult> {
  return esl.api('uuid_record', { leg, action: 'stop', file }, { order: callIdOf(leg) });
}
