/** What came of a test call, from its record. Pure. */
import type { Cdr, CdrLeg } from '../core/cdr/cdr.ts';
import { second, type Ms } from '../core/time.ts';
import type { TestCall } from '../http/ports.ts';

type Audio = TestCall['audio'];

/** Of a call that is over, or as far as it has come. */
export function testCallOf(cdr: Cdr, audio: Audio): TestCall {
  const { callId, startedAt, endedAt, caller, answeredAt, legs } = cdr;
  return {
    callId, at: startedAt, caller: caller.number, endedAt,
    answered: answeredAt !== null ? true : endedAt === null ? null : false,
    rang: legs.map(({ user, label, target, dialedAt, pickedUpAt, connectedAt, disposition }) => ({
      user: user === '' ? null : user, label, extension: target?.kind === 'device' ? target.device : null, number: target?.kind === 'external' ? target.number : null,
      answeredAfterMs: dialedAt === null || pickedUpAt === null ? null : pickedUpAt - dialedAt, talked: connectedAt !== null, disposition,
    })),
    talkedMs: answeredAt === null || endedAt === null ? null : endedAt - answeredAt,
    audio, sentence: sentenceOf(cdr, audio),
  };
}

function sentenceOf({ answeredAt, answeredBy, endedAt, pickedUpAt, legs, disposition }: Cdr, audio: Audio): string {
  const winner = legs.find(({ legId }) => legId === answeredBy);
  if (winner !== undefined && answeredAt !== null) {
    const after = winner.dialedAt === null || winner.pickedUpAt === null ? '' : ` after ${inSeconds(winner.pickedUpAt - winner.dialedAt)}`;
    const heard = audio === null ? '' : audio.received > 0 ? ' Audio came from the phone.' : ' No audio came from the phone: look at its network, and at FRONTDESK_EXTERNAL_ADDRESS behind NAT.';
    return `${nameOf(winner)} answered${after}${endedAt === null ? ', and is connected' : ` and was connected for ${inSeconds(endedAt - answeredAt)}`}.${heard}`;
  }
  const rung = legs.map((leg) => `${nameOf(leg)} ${leg.disposition ?? (leg.rangAt === null ? 'is called' : 'rings')}`).join(', ');
  if (endedAt === null) return legs.length === 0 ? 'It has not rung anybody yet.' : `It is under way: ${rung}.`;
  if (legs.length === 0) return pickedUpAt === null ? `It rang nobody, and was ended: ${disposition ?? 'nothing is known of why'}.` : 'It rang nobody: it heard prompts until it was ended, before voicemail.';
  return `Nobody took it: ${rung}.`;
}

function nameOf({ user, label }: CdrLeg): string {
  return [user, label].filter((part) => part !== '').join(', ');
}

function inSeconds(ms: Ms): string {
  return `${Math.round(ms / 100) / (second / 100)} s`;
}
