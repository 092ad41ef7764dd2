/**
 * The steps that a target leads to. Each target is one step, however many lead to it, so a plan is a graph: a menu may
 * lead back to an earlier one by a key. Where nobody accepts and the target says nothing, the number's no-answer routing
 * follows, and after that voicemail.
 */
import { digitsMs } from '../call/digits.ts';
import { extensionMarginMs } from '../call/timers.ts';
import type { StepId } from '../ids.ts';
import { remembered } from '../remembered.ts';
import { minute, second, type Ms } from '../time.ts';
import type { Account, Media, Menu, Queue, ReceivingNumber, RingDestination, RingGroup, User } from './config.ts';
import { greetingMedia, onlyUser } from './greeting.ts';
import { indexOf } from './index-of.ts';
import { nameStep, routerFacts, say, type Making } from './making.ts';
import type { Attempt, RingStep, Step } from './plan.ts';
import { devicesOf, phoneAt, phonesByPrecedence, type Phone } from './precedence.ts';
import { queueStep } from './queue-step.ts';
import { asking } from './reach.ts';
import { attemptsFor, callable, messageMedia, shortestRingMs } from './ring-attempts.ts';
import { chooseTarget } from './router.ts';
import type { NamedTarget, RouterId, Target } from './targets.ts';
import { invalidKeyText } from './whisper.ts';
import { count, seconds } from './words.ts';

/** What follows where a target says nothing: the number's own no-answer routing, or voicemail where that was followed. */
export type Otherwise = 'no-answer' | 'voicemail';

/** How long one destination of a walking pattern rings that says nothing. */
const turnMs: Ms = 20 * second;
const longestRoundMs: Ms = 10 * minute;

/** Adds what is needed for the target and returns its first step. */
export function leadTo(making: Making, target: Target, otherwise: Otherwise): StepId {
  switch (target.to) {
    case 'receiving-number':
      return named(making, target, otherwise, (id) => {
        const receiving = making.account.receivingNumbers?.get(target.id);
        return receiving === undefined ? undefined : ringReceivingNumber(making, id, receiving, otherwise);
      });
    case 'ring-group':
      return named(making, target, otherwise, (id) => {
        const group = making.account.ringGroups?.get(target.id);
        return group === undefined ? undefined : ringTheGroup(making, id, group, otherwise);
      });
    case 'user':
      return named(making, target, otherwise, (id) => {
        const user = indexOf(making.account).users.get(target.id);
        return user === undefined ? undefined : ringUser(making, id, user, otherwise);
      });
    case 'menu':
      return named(making, target, otherwise, (id) => {
        const menu = making.account.menus?.get(target.id);
        return menu === undefined ? undefined : askByMenu(making, id, menu, otherwise);
      });
    case 'queue':
      return named(making, target, otherwise, (id) => {
        const queue = making.account.queues?.get(target.id);
        return queue === undefined ? undefined : waitIn(making, id, queue, target.priority ?? queue.priority, otherwise);
      }, target.priority);
    case 'router':
      return chosen(making, target.id, otherwise);
    case 'voicemail':
      return voicemail(making, 'the route leads to voicemail', []);
    case 'message':
      return message(making, target);
    case 'hang-up':
      return hangUp(making, 'declined', 'the route ends the call');
    case 'precedence':
      return ringByPrecedence(making, otherwise);
  }
}

/** A step of an object's own; an object that is not there is passed over. */
function named(making: Making, target: NamedTarget, otherwise: Otherwise, make: (id: StepId) => StepId | undefined, priority?: number): StepId {
  const name = nameOf(target);
  const { id, fresh } = nameStep(making, otherwise === 'no-answer' && priority === undefined ? name : `${name} ${otherwise} ${priority ?? ''}`, name);
  if (!fresh) return following(making, id);
  const first = make(id);
  if (first === undefined) say(making, id, false, `there is no ${target.to} “${target.id}”`);
  const reached = first ?? nobodyAnswered(making, [], otherwise);
  if (reached !== id) making.skipped.set(id, reached);
  return reached;
}

const nameOf = remembered((target: NamedTarget): StepId => `${target.to}.${target.id}`);

/** Of a step that was passed over: what took its place. */
function following(making: Making, id: StepId): StepId {
  return making.skipped.get(id) ?? id;
}

/** What is led to where nobody of these accepts. */
export function nobodyAnswered(making: Making, rung: readonly Attempt[], otherwise: Otherwise, own?: Target, why = rung.length > 0 ? 'nobody answered in time' : 'nobody is rung'): StepId {
  const { noAnswer } = making.number;
  if (own !== undefined) return leadTo(making, own, otherwise);
  if (otherwise === 'no-answer' && noAnswer !== undefined) return leadTo(making, noAnswer, 'voicemail');
  return voicemail(making, why, rung);
}

/** M2, M3, M5: no step of its own. The way taken is the plan's, and why is a reason. */
function chosen(making: Making, id: RouterId, otherwise: Otherwise, before: readonly RouterId[] = []): StepId {
  const router = making.account.routers?.get(id);
  if (router === undefined || before.includes(id)) {
    say(making, `router.${id}`, false, router === undefined ? `there is no router “${id}”` : 'it leads back to itself');
    return nobodyAnswered(making, [], otherwise);
  }
  const { target, reasons } = chooseTarget(router, routerFacts(making));
  making.reasons.push(...reasons);
  // by a key of a menu in between it may well be come back to
  return target.to === 'router' ? chosen(making, target.id, otherwise, [...before, id]) : leadTo(making, target, otherwise);
}

/** R1 to R4: the destination that the account's precedence picks, and the number's users. */
export function ringByPrecedence(making: Making, otherwise: Otherwise): StepId {
  const { account, number, facts, reasons } = making;
  const { id, fresh } = nameStep(making, `precedence ${otherwise}`, 'ring');
  if (!fresh) return following(making, id);
  const skip = (why: string): StepId => {
    say(making, id, false, why);
    const next = nobodyAnswered(making, [], otherwise);
    making.skipped.set(id, next);
    return next;
  };
  if (number.ringMs < shortestRingMs) return skip(tooShort(number.ringMs));
  const { phones, users, forwarded } = phonesByPrecedence(account, number, facts, reasons);
  if (phones.length === 0) return skip(users.length === 0 ? 'the number rings no users' : 'none of its users has a device');
  const of = id === 'ring' ? '' : id;
  const rung = callable(making, of, phones);
  if (rung.length === 0) return skip('none of its phones may be called');
  const whom = forwarded ? count(rung.length, 'phone') : `${count(rung.length, 'device')} of ${count(users.length, 'user')}`;
  say(making, id, true, `${whom} at once for ${seconds(number.ringMs)}; the first to accept wins`);
  const attempts = attemptsFor(making, of, rung, number.ringMs);
  return ring(making, id, { pattern: 'simultaneous', attempts, ringMs: number.ringMs }, () => nobodyAnswered(making, attempts, otherwise));
}

function ringReceivingNumber(making: Making, id: StepId, receiving: ReceivingNumber, otherwise: Otherwise): StepId {
  const ringMs = receiving.ringMs ?? making.number.ringMs;
  const rung = ringMs < shortestRingMs ? [] : callable(making, id, [phoneOf(receiving)]);
  if (rung.length === 0) {
    say(making, id, false, ringMs < shortestRingMs ? tooShort(ringMs) : 'it may not be called');
    return nobodyAnswered(making, [], otherwise, receiving.noAnswer);
  }
  say(making, id, true, `${receiving.label}, ${receiving.number}, rings for ${seconds(ringMs)}`);
  const attempts = attemptsFor(making, id, rung, ringMs);
  return ring(making, id, { pattern: 'simultaneous', attempts, ringMs: ringMs + extensionMs(receiving) }, () => nobodyAnswered(making, attempts, otherwise, receiving.noAnswer));
}

const devicesInTurn = remembered((user: User) => devicesOf(user).map(inTurn));

function inTurn(phone: Phone, i: number): Phone {
  return { ...phone, destination: `${i + 1} ${phone.label}`, ringMs: phone.ringMs ?? turnMs };
}

/** D10: the devices one after the other, then the forwarding number with call connect. */
function ringUser(making: Making, id: StepId, user: User, otherwise: Otherwise): StepId {
  const forward = user.forward === undefined ? [] : [phoneAt({ callConnect: asking(making.number.callConnect), ...user.forward }, 'forward', user)];
  const phones = [...devicesInTurn(user), ...forward.map((phone) => inTurn(phone, user.devices.length))];
  const rung = callable(making, id, phones, true);
  if (rung.length === 0) {
    say(making, id, false, `${user.name} has no phone that may be called`);
    return nobodyAnswered(making, [], otherwise);
  }
  say(making, id, true, `${count(rung.length, 'phone')} of ${user.name}, one after the other`);
  const attempts = attemptsFor(making, id, rung, longestRoundMs);
  return ring(making, id, { pattern: 'sequential', attempts, ringMs: total(attempts) }, () => nobodyAnswered(making, attempts, otherwise));
}

function ringTheGroup(making: Making, id: StepId, group: RingGroup, otherwise: Otherwise): StepId {
  const { account, number } = making;
  const walks = group.pattern !== 'simultaneous';
  const round = group.ringMs ?? (walks ? undefined : number.ringMs);
  const short = round !== undefined && round < shortestRingMs;
  const rung = short ? [] : callable(making, id, phonesOfGroup(account)(group), walks);
  const own = group.noAnswer ?? group.destinations.map(({ target }) => (target.to === 'receiving-number' ? account.receivingNumbers?.get(target.id)?.noAnswer : undefined)).find((target) => target !== undefined);
  if (rung.length === 0) {
    say(making, id, false, short ? tooShort(round) : `${group.name} has nobody who may be called`);
    return nobodyAnswered(making, [], otherwise, own);
  }
  say(making, id, true, `${group.name}: ${patternWords[group.pattern]}`);
  const attempts = attemptsFor(making, id, rung, walks ? longestRoundMs : (round ?? number.ringMs));
  const ringMs = round ?? total(attempts);
  const counted = group.pattern === 'round-robin' || group.pattern === 'least-connected' ? { group: `${account.id}/${group.id}` } : {};
  return ring(making, id, { pattern: group.pattern, ...counted, attempts, ringMs }, () => nobodyAnswered(making, attempts, otherwise, own));
}

const patternWords = {
  simultaneous: 'all at once',
  sequential: 'one after the other, as listed',
  'round-robin': 'one after the other, beginning with the one whose turn it is',
  'least-connected': 'one after the other, fewest live calls first',
} as const;

const phonesOfGroup = remembered((account: Account) => remembered((group: RingGroup) => group.destinations.flatMap((destination) => phonesAt(account, destination).map((phone): Phone => ({
  ...phone, destination: nameOf(destination.target), delayMs: destination.delayMs,
  ringMs: destination.ringMs ?? phone.ringMs ?? (group.pattern === 'simultaneous' ? undefined : turnMs),
})))));

function phonesAt(account: Account, { target }: RingDestination): readonly Phone[] {
  if (target.to === 'receiving-number') {
    const receiving = account.receivingNumbers?.get(target.id);
    return receiving === undefined ? [] : [phoneOf(receiving)];
  }
  const user = indexOf(account).users.get(target.id);
  if (user === undefined) return [];
  return user.devices.length === 0 && user.forward !== undefined ? [phoneAt(user.forward, 'forward', user)] : devicesOf(user);
}

const phoneOf = remembered(({ label, number, trunks, ringMs, callConnect, dialExtension, whisper, taggingHours }: ReceivingNumber): Phone => (
  { user: undefined, label, target: { kind: 'external', number, trunks }, ringMs, callConnect, dialExtension, whisper, taggingHours }
));

/** From the answer of a switchboard until its extension is dialled. */
function extensionMs({ dialExtension }: Pick<Attempt, 'dialExtension'>): Ms {
  return dialExtension === undefined ? 0 : dialExtension.delayMs + digitsMs(dialExtension.digits) + extensionMarginMs;
}

/** Destinations one after the other, each for as long as the last of its phones may take to accept. */
function total(attempts: readonly Attempt[]): Ms {
  const turns = new Map<string, Ms>();
  let sum: Ms = 0;
  attempts.forEach((attempt, i) => {
    const { destination = `#${i}`, delayMs = 0, ringMs, screening } = attempt;
    const [before, turn] = [turns.get(destination) ?? 0, delayMs + ringMs + extensionMs(attempt) + (screening?.waitMs ?? 0)];
    if (turn <= before) return;
    turns.set(destination, turn);
    sum += turn - before;
  });
  return Math.min(longestRoundMs, sum);
}

function tooShort(ringMs: Ms): string {
  return `${seconds(ringMs)} is too short to answer: under ${seconds(shortestRingMs)} no phone is rung`;
}

/** A step is in the order before what follows it. */
const itsPlace: Step = { kind: 'hang-up', cause: 'normal' };

function ring(making: Making, id: StepId, step: Omit<RingStep, 'kind' | 'taken' | 'on'>, noAnswer: () => StepId): StepId {
  const { steps, taken } = making;
  const { pattern, group, attempts, ringMs } = step;
  steps[id] = itsPlace;
  const on = { noAnswer: noAnswer() };
  steps[id] = group === undefined ? { kind: 'ring', pattern, attempts, ringMs, taken, on } : { kind: 'ring', pattern, group, attempts, ringMs, taken, on };
  return id;
}

/** Q5. */
function waitIn(making: Making, id: StepId, queue: Queue, priority: number, otherwise: Otherwise): StepId {
  making.steps[id] = itsPlace;
  making.byKeys ||= queue.exit !== undefined;
  making.steps[id] = queueStep(making, id, queue, priority, (own) => nobodyAnswered(making, [], otherwise, own, 'no agent took the call'), (media) => sayAndHangUp(making, media, 'the caller is called back'));
  return id;
}

/** Of the account's own words. */
export function sayAndHangUp(making: Making, media: Media, why: string): StepId {
  const { id, fresh } = nameStep(making, `say ${media}`, 'goodbye');
  if (!fresh) return id;
  making.steps[id] = itsPlace;
  say(making, id, true, why);
  making.steps[id] = { kind: 'announcement', media: [media], on: { done: hangUp(making, 'normal', why) } };
  return id;
}

const keysOf = remembered((options: Menu['options']) => Object.entries(options));

/** M1. */
function askByMenu(making: Making, id: StepId, menu: Menu, otherwise: Otherwise): StepId {
  const { account, facts } = making;
  const prompt = messageMedia(menu.prompt, facts);
  const invalid = messageMedia(menu.invalidPrompt ?? { text: invalidKeyText }, facts);
  const dialable = menu.dialByExtension ? indexOf(account).dialable : undefined;
  say(making, id, true, `${menu.name} asks for a key, at most ${count(menu.tries, 'time')}`);
  if (prompt === undefined) say(making, `${id}, prompt`, false, 'its audio is not ready: the caller hears a beep');
  making.byKeys = true;
  making.steps[id] = itsPlace;
  const options: Record<string, StepId> = {};
  for (const [key, target] of keysOf(menu.options)) options[key] = leadTo(making, target, otherwise);
  const noKey = nobodyAnswered(making, [], otherwise, menu.noKey);
  making.steps[id] = {
    kind: 'menu', prompt: [prompt ?? 'tone:beep'], invalid: invalid === undefined ? [] : [invalid], options,
    ...(dialable === undefined ? {} : { extensions: dialable }),
    tries: menu.tries, waitMs: menu.waitMs, betweenKeysMs: menu.betweenKeysMs,
    on: { noKey, invalid: menu.invalid === undefined ? noKey : leadTo(making, menu.invalid, otherwise), noAnswer: nobodyAnswered(making, [], otherwise) },
  };
  return id;
}

function message(making: Making, target: Extract<Target, { to: 'message' }>): StepId {
  const media = messageMedia(target.message, making.facts);
  const next = hangUp(making, 'declined', 'the route ends the call');
  if (media === undefined) {
    say(making, 'message', false, 'its audio is not ready');
    return next;
  }
  const { id, fresh } = nameStep(making, `message ${media}`, 'message');
  if (!fresh) return id;
  say(making, id, true, 'the route leads to a message');
  making.steps[id] = { kind: 'announcement', media: [media], on: { done: next } };
  return id;
}

/** Voicemail of the number, or a hang-up where it has none. `rung` before: whose greeting it is depends on it. */
export function voicemail(making: Making, why: string, rung: readonly Attempt[]): StepId {
  const { account, number, facts, steps, reasons } = making;
  if (number.voicemail === undefined) {
    const { id, fresh } = nameStep(making, 'no voicemail', 'hang-up-no-answer');
    if (!fresh) return id;
    say(making, 'voicemail', false, 'the number has voicemail turned off');
    steps[id] = { kind: 'hang-up', cause: 'no-answer' };
    say(making, id, true, 'nobody answered and there is no voicemail');
    return id;
  }
  const only = onlyUser(rung);
  const whose = only !== undefined && indexOf(account).users.get(only)?.greeting !== undefined ? only : undefined;
  const { id, fresh } = nameStep(making, whose === undefined ? 'voicemail' : `voicemail of ${whose}`, 'voicemail');
  if (!fresh) return id;
  const { maxMs, silenceMs } = number.voicemail;
  const greeting = [greetingMedia(account, number, rung, facts, reasons)];
  steps[id] = itsPlace;
  say(making, id, true, why);
  steps[id] = { kind: 'voicemail', greeting, maxMs, silenceMs, on: { done: hangUp(making, 'normal', 'the message is recorded') } };
  return id;
}

export function hangUp(making: Making, cause: 'normal' | 'declined', why: string): StepId {
  const { id, fresh } = nameStep(making, cause, 'hang-up');
  if (!fresh) return id;
  making.steps[id] = { kind: 'hang-up', cause };
  say(making, id, true, why);
  return id;
}
