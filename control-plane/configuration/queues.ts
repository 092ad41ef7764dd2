/** Q1 to Q5: the document of a queue, and of the codes that agents dial. Names and rules of the strategies: core/queue/strategies. */
import { z } from 'zod';
import { fallbacks } from '../core/queue/strategies/fallbacks.ts';
import { strategyNames, type Fallback, type Presence, type QueueConfig, type Tier } from '../core/queue/config.ts';
import { agentActions, type Account, type Message, type Queue, type TrunkId } from '../core/routing/config.ts';
import type { Target } from '../core/routing/targets.ts';
import { second } from '../core/time.ts';
import type { AudioRef, TargetDoc } from './documents.ts';
import { id, key, rule, wholeNumber, words } from './fields.ts';
import { dialCode } from './night.ts';
import type { ConfigObject } from './objects.ts';
import { optional } from './optional.ts';

const mostTiers = 10;
const mostAgents = 200;
const fallbackNames = Object.keys(fallbacks) as Fallback[];
const presences = ['nobody', 'logged-in', 'available', 'free'] as const satisfies readonly (Presence | 'nobody')[];
const presenceWords = '`logged-in` is who has a phone and is not offline, `available` who is not on a break either, `free` who could be offered a call now; `nobody`: it does not matter who is there.';

const agent = z.strictObject({
  user: id,
  share: wholeNumber(1, 100, 'numbers').default(1).meta({ description: 'Of the calls, with the strategy `weighted`: 2 gets twice as many as 1.' }),
  wrapUpSeconds: wholeNumber(0, 3600, 'seconds').optional().meta({ description: 'Instead of the queue’s own.' }),
});
const agents = z.array(agent, 'must be a list of agents').min(1, 'must name an agent').max(mostAgents, `takes at most ${mostAgents} agents`);

const tier = z.strictObject({
  agents,
  delaySeconds: wholeNumber(0, 3600, 'seconds').default(30).meta({ description: 'A call waits so long for this tier before the next one joins it. A tier with nobody available is not waited for.' }),
});

const presence = (unless: (typeof presences)[number]) => z.enum(presences, `must be one of: ${presences.join(', ')}`).default(unless);

interface Parts {
  /** Where a call may be led. */
  readonly target: z.ZodType<TargetDoc>;
  readonly audio: z.ZodType<AudioRef>;
  readonly whisper: z.ZodType<AudioRef>;
  readonly callConnect: z.ZodType<'off' | 'external' | 'every'>;
}

export function queueDocument({ target, audio, whisper, callConnect }: Parts) {
  const document = z.strictObject({
    name: words(60),
    strategy: z.enum(strategyNames, `must be one of: ${strategyNames.join(', ')}`).meta({ description: 'Who is offered a call. ring-all: everybody at once. round-robin: the next after who was asked last. least-recent: whose last call of the queue ended longest ago. fewest-calls: who has had the fewest of the queue. longest-idle: who has been without any call longest. random. weighted: by share. top-down: the first of the list who is free. sticky: who had this caller last, then by `fallback`.' }),
    fallback: z.enum(fallbackNames, `must be one of: ${fallbackNames.join(', ')}`).default('longest-idle').meta({ description: 'Of the strategy `sticky`: how the others are asked.' }),
    stickyWaitSeconds: wholeNumber(0, 600, 'seconds').default(15).meta({ description: 'Of the strategy `sticky`: how long a caller waits for who had them last, while that one is there and not free.' }),
    agents: agents.optional().meta({ description: 'Users of the account. For more than one tier give `tiers` instead.' }),
    tiers: z.array(tier, 'must be a list of tiers').min(1, 'must have a tier').max(mostTiers, `takes at most ${mostTiers} tiers`).optional().meta({ description: 'The first is asked first; each of the others joins it after a while.' }),
    weight: wholeNumber(1, 100, 'numbers').default(1).meta({ description: 'Of two queues with the same agent the heavier is served first, however long anybody has waited.' }),
    priority: wholeNumber(0, 100, 'numbers').default(0).meta({ description: 'Of its callers, unless the target that leads here gives one: of two callers the higher is served first.' }),
    ringSeconds: wholeNumber(5, 120, 'seconds').default(20).meta({ description: 'How long an agent’s phones ring for one offer.' }),
    wrapUpSeconds: wholeNumber(0, 3600, 'seconds').default(10).meta({ description: 'After a call nobody is offered the next one sooner.' }),
    rejectDelaySeconds: wholeNumber(1, 3600, 'seconds').default(10).meta({ description: 'Who declined an offer is asked again no sooner.' }),
    busyDelaySeconds: wholeNumber(1, 3600, 'seconds').default(15).meta({ description: 'The same of one whose phone was busy.' }),
    noAnswerDelaySeconds: wholeNumber(1, 3600, 'seconds').default(10).meta({ description: 'The same of one who let it ring.' }),
    pauseAfterMissed: wholeNumber(0, 20, 'offers').default(0).meta({ description: 'Who misses so many offers in a row is put on a break. 0: nobody is.' }),
    maxWaitSeconds: wholeNumber(0, 14_400, 'seconds').default(600).meta({ description: 'Who has waited so long goes where `maxWait` says. 0: no limit.' }),
    maxLength: wholeNumber(0, 1000, 'callers').default(0).meta({ description: 'While so many wait, a further one goes where `full` says. 0: no limit.' }),
    joinNeeds: presence('available').meta({ description: `Who must be there for a caller to be let in; others go where \`empty\` says. ${presenceWords}` }),
    stayNeeds: presence('available').meta({ description: 'Who must be there for callers to wait on: without, they go where `empty` says after `staySeconds`. Words as in `joinNeeds`.' }),
    staySeconds: wholeNumber(1, 3600, 'seconds').default(60),
    serviceLevelSeconds: wholeNumber(1, 3600, 'seconds').default(20).meta({ description: 'A call that is answered within this time was answered in time.' }),
    announcePosition: z.strictObject({
      firstSeconds: wholeNumber(5, 3600, 'seconds').default(30).meta({ description: 'After joining.' }),
      everySeconds: wholeNumber(15, 3600, 'seconds').default(60),
    }).optional().meta({ description: 'Callers are told their place in line and, once that can be told, about how long they will wait. Nothing is said where it is absent.' }),
    greeting: audio.optional().meta({ description: 'Heard once, on joining.' }),
    music: audio.optional().meta({ description: 'An uploaded file, over and over while nothing else is said. A quiet one of ours where it is absent.' }),
    messages: z.strictObject({
      everySeconds: wholeNumber(10, 3600, 'seconds').default(60),
      say: z.array(audio, 'must be a list of messages').min(1, 'must have a message').max(20, 'takes at most 20 messages'),
    }).optional().meta({ description: 'Said so often while a caller waits, one after the other, then from the first again.' }),
    exit: z.strictObject({ key, target }).optional().meta({ description: 'The key with which a caller leaves the queue, and where to.' }),
    callback: z.strictObject({
      key: key.meta({ description: 'With which a caller asks for it, and confirms it once the number was said.' }),
      attempts: wholeNumber(1, 10, 'tries').default(3).meta({ description: 'Tries in all, of a caller who is not reached.' }),
      pauseSeconds: wholeNumber(10, 86_400, 'seconds').default(300).meta({ description: 'From one try to the next.' }),
      ringSeconds: wholeNumber(10, 60, 'seconds').default(30).meta({ description: 'How long a try rings.' }),
      keepSeconds: wholeNumber(60, 604_800, 'seconds').default(86_400).meta({ description: 'After this nobody is called back any more, counted from when the caller joined.' }),
    }).optional().meta({ description: 'Callers may hang up and be called back in the place they held, once an agent is free for them, at the number they call from. The agent is kept while the number is called, and rung once the caller has pressed 1.' }),
    full: target.optional().meta({ description: 'Where a caller goes when `maxLength` wait. The tracking number’s no-answer routing where absent, and so are the three below.' }),
    empty: target.optional().meta({ description: 'When nobody is there: joinNeeds, stayNeeds.' }),
    maxWait: target.optional().meta({ description: 'After `maxWaitSeconds`.' }),
    closed: target.optional().meta({ description: 'When the queue is deleted while a caller waits in it.' }),
    whisper: whisper.optional().meta({ description: 'Heard by the agent before the call. The tracking number’s own where absent.' }),
    callConnect: callConnect.optional().meta({ description: 'Whether agents press a key to take a call. The tracking number’s own where absent.' }),
  });
  const ofTiers = rule(document, (value) => (value.agents === undefined) !== (value.tiers === undefined), 'must have agents or tiers of them, and not both', 'Write agents for one tier, and tiers for several.');
  return twiceRefused(rule(ofTiers, ({ exit, callback }) => exit === undefined || exit.key !== callback?.key, 'has one key for `exit` and `callback`', 'Give each its own.'))
    .meta({ example: { name: 'Front desk', strategy: 'longest-idle', agents: [{ user: 'reception' }] } });
}

type Listing = { readonly agents?: readonly z.output<typeof agent>[] | undefined; readonly tiers?: readonly z.output<typeof tier>[] | undefined };

/** Where an agent stands in the document, in the order in which they are listed. */
export function agentsIn({ agents: single = [], tiers = [] }: Listing): readonly { readonly user: string; readonly path: readonly (string | number)[] }[] {
  return [
    ...single.map(({ user }, i) => ({ user, path: ['agents', i, 'user'] })),
    ...tiers.flatMap((one, i) => one.agents.map(({ user }, j) => ({ user, path: ['tiers', i, 'agents', j, 'user'] }))),
  ];
}

function twiceRefused<S extends z.ZodType<Listing>>(schema: S): S {
  return schema.superRefine((value, context) => {
    const listed = new Set<string>();
    for (const { user, path } of agentsIn(value)) {
      if (listed.has(user)) context.addIssue({ code: 'custom', path: [...path], message: `${user} is an agent of this queue already`, params: { wayOut: 'Name each once, in one tier.' } });
      listed.add(user);
    }
  });
}

export type QueueDoc = z.output<ReturnType<typeof queueDocument>>;

type MessageOf = (ref: AudioRef | undefined) => Message | undefined;
type TargetOf = (target: TargetDoc) => Target;

/** `trunks`: of the account, in the order in which they are tried. */
export function queueOf({ id: of, body }: ConfigObject<'queue'>, trunks: readonly TrunkId[], media: MessageOf, targetOf: TargetOf): Queue {
  const target = (doc: TargetDoc | undefined): Target | undefined => (doc === undefined ? undefined : targetOf(doc));
  const { messages, exit, callback } = body;
  return {
    id: of, name: body.name, desk: deskOf(of, body), priority: body.priority,
    ...optional('greeting', media(body.greeting)), ...optional('music', media(body.music)),
    ...optional('messages', messages === undefined ? undefined : { everyMs: messages.everySeconds * second, say: messages.say.map((ref) => media(ref) ?? {}) }),
    ...optional('exit', exit === undefined ? undefined : { key: exit.key, target: targetOf(exit.target) }),
    ...optional('callback', callback === undefined ? undefined : { key: callback.key, attempts: callback.attempts, pauseMs: callback.pauseSeconds * second, ringMs: callback.ringSeconds * second, trunks }),
    ...optional('full', target(body.full)), ...optional('empty', target(body.empty)), ...optional('maxWait', target(body.maxWait)), ...optional('closed', target(body.closed)),
    ...optional('whisper', media(body.whisper)), ...optional('callConnect', body.callConnect),
  };
}

function deskOf(of: string, body: QueueDoc): QueueConfig {
  const tiers = body.tiers ?? [{ agents: body.agents ?? [], delaySeconds: 0 }];
  return {
    id: of, strategy: body.strategy, fallback: body.fallback, stickyWaitMs: body.stickyWaitSeconds * second,
    tiers: tiers.map((one): Tier => ({
      agents: one.agents.map(({ user, share, wrapUpSeconds }) => ({ agent: user, share, ...optional('wrapUpMs', wrapUpSeconds === undefined ? undefined : wrapUpSeconds * second) })),
      delayMs: one.delaySeconds * second,
    })),
    weight: body.weight, offerMs: body.ringSeconds * second, wrapUpMs: body.wrapUpSeconds * second,
    rejectDelayMs: body.rejectDelaySeconds * second, busyDelayMs: body.busyDelaySeconds * second, noAnswerDelayMs: body.noAnswerDelaySeconds * second,
    pauseAfterMissed: unlessZero(body.pauseAfterMissed), maxWaitMs: unlessZero(body.maxWaitSeconds * second), maxLength: unlessZero(body.maxLength), maxCallbackMs: body.callback === undefined ? null : body.callback.keepSeconds * second,
    joinNeeds: body.joinNeeds === 'nobody' ? null : body.joinNeeds, stayNeeds: body.stayNeeds === 'nobody' ? null : body.stayNeeds, stayMs: body.staySeconds * second,
    serviceLevelMs: body.serviceLevelSeconds * second,
    announce: body.announcePosition === undefined ? null : { firstMs: body.announcePosition.firstSeconds * second, everyMs: body.announcePosition.everySeconds * second },
  };
}

function unlessZero(limit: number): number | null {
  return limit === 0 ? null : limit;
}

/** Of an account. */
export const agentCodes = rule(
  z.strictObject({ logIn: dialCode.optional(), logOut: dialCode.optional(), break: dialCode.optional(), available: dialCode.optional() }),
  (codes) => new Set(Object.values(codes)).size === Object.values(codes).length, 'has one code for two actions', 'Give each its own.',
).meta({ description: 'Dialled on a phone, they log its user in on that phone as an agent, or out, and choose a break or available; with a star and a user’s `pin` behind it, that user: `*41*4711`. No extension begins with a star.' });

export function agentCodesOf(codes: z.output<typeof agentCodes> | undefined): Account['agentCodes'] {
  const all = agentActions.flatMap((action) => (codes?.[action] === undefined ? [] : [{ code: codes[action], action }]));
  return all.length === 0 ? undefined : all;
}
