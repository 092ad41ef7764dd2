/** What a phone or a mobile does when it is called. Data: sip-party.ts turns it into a scenario of test/sipp. */
export type Behaviour =
  | {
      readonly kind: 'rings';
      /** Answers by itself so long after the INVITE; rings until told without. */
      readonly answerAfterMs?: number;
      /** From the answer on: a tone in Hz, or silence. */
      readonly sound?: number | 'silence';
      readonly press?: { readonly keys: string; readonly afterMs: number };
      /** So long after the answer. */
      readonly hangUpAfterMs?: number;
    }
  | { readonly kind: 'rejects'; readonly status: string }
  | { readonly kind: 'says-nothing' }
  | { readonly kind: 'answers-after-cancel' };

type Rings = Extract<Behaviour, { kind: 'rings' }>;

/** Rings until the test tells it to answer, reject or the switch cancels it. */
export const rings = (more: Pick<Rings, 'sound' | 'press' | 'hangUpAfterMs'> = {}): Behaviour => ({ kind: 'rings', ...more });
export const answersAfter = (ms: number, more: Pick<Rings, 'sound' | 'press' | 'hangUpAfterMs'> = {}): Behaviour => ({ kind: 'rings', answerAfterMs: ms, ...more });
/** A mobile's voicemail: answers, talks, and never presses a key. */
export const talksLikeVoicemail = (afterMs: number): Behaviour => answersAfter(afterMs, { sound: 620 });
export const busy: Behaviour = { kind: 'rejects', status: '486 Busy Here' };
export const declines: Behaviour = { kind: 'rejects', status: '603 Decline' };
export const unavailable: Behaviour = { kind: 'rejects', status: '503 Service Unavailable' };
export const unknownNumber: Behaviour = { kind: 'rejects', status: '404 Not Found' };
export const rejects = (status: string): Behaviour => ({ kind: 'rejects', status });
export const saysNothing: Behaviour = { kind: 'says-nothing' };
export const answersAfterCancel: Behaviour = { kind: 'answers-after-cancel' };
