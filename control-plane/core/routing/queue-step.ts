/** Q5: the step in which a caller waits, and what is said there. Who is offered the call is the desk's business (core/queue). */
import type { QueueConfig } from '../queue/config.ts';
import type { StepId } from '../ids.ts';
import type { Account, Media, Message, Queue, TrackingNumber } from './config.ts';
import { callbackWords, type CallbackWords } from './callback-words.ts';
import { e164Of } from './e164-of.ts';
import { indexOf } from './index-of.ts';
import { say, type Making } from './making.ts';
import { guardDestination } from './outbound-guard.ts';
import type { QueueCallback, QueueStep, ShownQueue } from './plan.ts';
import { recordingDecision } from './recording.ts';
import { messageMedia, recordingMedia } from './ring-attempts.ts';
import type { Target } from './targets.ts';
import { seconds } from './words.ts';

/** All queues of an account as its desk has them. */
export function deskQueuesOf({ queues }: Account): readonly QueueConfig[] {
  return [...(queues?.values() ?? [])].map(({ desk }) => desk);
}

/** `follow`: the step after a way out, the queue's own target or what follows without. `endWith`: says this, and the call is over. */
export function queueStep(making: Making, id: StepId, queue: Queue, priority: number, follow: (own: Target | undefined) => StepId, endWith: (media: Media) => StepId): QueueStep {
  const { facts } = making;
  const { desk, messages, exit } = queue;
  say(making, id, true, `${queue.name}: ${strategyWords(desk)}`);
  const heard = (message: Message, what: string): readonly Media[] => {
    const media = messageMedia(message, facts);
    if (media === undefined) say(making, `${id}, ${what}`, false, 'its audio is not ready');
    return media === undefined ? [] : [media];
  };
  const own = queue.music === undefined ? [] : heard(queue.music, 'music');
  const spoken = (messages?.say ?? []).map((message, i) => heard(message, `message ${i + 1}`)).filter((media) => media.length > 0);
  const maxWait = follow(queue.maxWait);
  const callback = callbackOf(making, id, queue);
  return {
    kind: 'queue', queue: queue.id, priority, sticky: desk.strategy === 'sticky',
    greeting: queue.greeting === undefined ? [] : heard(queue.greeting, 'greeting'),
    music: own.length === 0 && facts.holdMusic !== undefined ? [facts.holdMusic] : own,
    ...(messages === undefined || spoken.length === 0 ? {} : { messages: { everyMs: messages.everyMs, media: spoken } }),
    ...(exit === undefined ? {} : { exitKey: exit.key }),
    ...(callback === undefined ? {} : { callback: callback.step }),
    on: { ...(callback === undefined ? {} : { callback: endWith(callback.kept) }), exitKey: exit === undefined ? maxWait : follow(exit.target), full: follow(queue.full), empty: follow(queue.empty), maxWait, closed: follow(queue.closed) },
    shown: shownQueue(queue),
  };
}

/** Undefined where nobody is called back, and while that cannot be said. */
function callbackOf(making: Making, id: StepId, { callback }: Queue): { readonly step: QueueCallback; readonly kept: CallbackWords['kept'] } | undefined {
  const { account, facts } = making;
  if (callback === undefined) return undefined;
  const tell = (taken: boolean, why: string): void => { say(making, `${id}, callback`, taken, why); };
  const caller = e164Of(facts.callerNumber);
  const decision = caller === undefined ? { allowed: false as const, detail: 'the caller shows no number that could be called.' } : guardDestination(caller, account.outbound);
  const number = decision.allowed && caller !== undefined && callback.trunks.length > 0 ? caller : null;
  const { key } = callback;
  const words = callbackWords(key, number ?? '', facts.whisperMedia);
  if (words === undefined) {
    tell(false, 'the audio that asks about it is not ready');
    return undefined;
  }
  tell(number !== null, number !== null ? `key ${key} asks for it, to ${number}` : decision.allowed ? 'there is no trunk to call over' : decision.detail);
  return { step: { key, number, asks: words.asks, sorry: words.sorry }, kept: words.kept };
}

const strategyNames: Readonly<Record<QueueConfig['strategy'], string>> = {
  'ring-all': 'all agents at once', 'round-robin': 'agents in turn', 'least-recent': 'whose last call is longest ago', 'fewest-calls': 'who has had the fewest calls', 'longest-idle': 'who has been idle longest',
  random: 'any agent', weighted: 'agents by their share', 'top-down': 'the first of the list who is free', sticky: 'who had the caller last',
};

function strategyWords({ strategy, fallback, stickyWaitMs }: QueueConfig): string {
  if (strategy !== 'sticky') return `${strategyNames[strategy]} (${strategy})`;
  return `${strategyNames.sticky}, for ${seconds(stickyWaitMs)} (sticky), then ${strategyNames[fallback]} (${fallback})`;
}

/** Of one tier. */
const mostShown = 20;

function shownQueue({ name, desk: { strategy, fallback, tiers } }: Queue): ShownQueue {
  let afterMs = 0;
  const shown = tiers.map(({ agents, delayMs }) => {
    const one = { afterMs, agents: agents.slice(0, mostShown).map(({ agent }) => agent), of: agents.length };
    afterMs += delayMs;
    return one;
  });
  return { name, strategy, fallback: strategy === 'sticky' ? fallback : null, tiers: shown };
}

/** An offer may ring somebody whose calls are recorded, which caller and agent are to be told. */
export function isAnnounced({ account, number, facts }: Making, { tiers }: QueueConfig): boolean {
  if (number.recordingAnnouncement === undefined || recordingMedia(number, facts).length === 0) return false;
  const { users } = indexOf(account);
  return tiers.some(({ agents }) => agents.some(({ agent }) => recordingDecision({ account: account.recording, number: number.recording, user: users.get(agent)?.recording }).recorded));
}

/** A number as the agents of a queue hear it: the queue's own whisper and call connect instead of its own. */
export function numberFor({ whisper, callConnect }: Queue, number: TrackingNumber): TrackingNumber {
  const asked = callConnect === undefined ? number : { ...number, callConnect };
  if (whisper === undefined) return asked;
  const { whisper: _text, whisperFile: _file, ...bare } = asked;
  return { ...bare, ...(whisper.text === undefined ? {} : { whisper: whisper.text }), ...(whisper.media === undefined ? {} : { whisperFile: whisper.media }) };
}
