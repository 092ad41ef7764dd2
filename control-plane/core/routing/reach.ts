/** Everything that a call to a number may come to, for one caller or another: what is to be spoken beforehand, and what may be rung. */
import { defaultPrecedence, type Account, type CallConnect, type Menu, type Message, type PrecedenceEntry, type Queue, type ReceivingNumber, type TrackingNumber, type User } from './config.ts';
import { indexOf } from './index-of.ts';
import { assignedTo, devicesOf, phoneAt, type Phone } from './precedence.ts';
import type { Router } from './router.ts';
import type { Target } from './targets.ts';

export interface Reach {
  readonly receivingNumbers: readonly ReceivingNumber[];
  readonly menus: readonly Menu[];
  readonly queues: readonly Queue[];
  readonly messages: readonly Message[];
  /** By whatever way; a user's own phones with call connect as the way asks. An agent's, unless they log in on others. */
  readonly phones: readonly Phone[];
}

export function reachOf(account: Account, number: TrackingNumber): Reach {
  const receivingNumbers = new Map<string, ReceivingNumber>();
  const menus = new Map<string, Menu>();
  const queues = new Map<string, Queue>();
  const messages: Message[] = [];
  const phones: Phone[] = [];
  const been = new Set<string>();
  const once = (key: string): boolean => !been.has(key) && been.add(key) !== undefined;
  const visit = (target: Target | undefined): void => {
    if (target === undefined || !once('id' in target ? `${target.to} ${target.id}` : target.to === 'message' ? JSON.stringify(target) : target.to)) return;
    switch (target.to) {
      case 'receiving-number': {
        const receiving = account.receivingNumbers?.get(target.id);
        if (receiving === undefined) return;
        receivingNumbers.set(receiving.id, receiving);
        phones.push({ user: undefined, label: receiving.label, target: { kind: 'external', number: receiving.number, trunks: receiving.trunks }, ringMs: receiving.ringMs, callConnect: receiving.callConnect });
        visit(receiving.noAnswer);
        return;
      }
      case 'ring-group': {
        const group = account.ringGroups?.get(target.id);
        for (const destination of group?.destinations ?? []) visit(destination.target);
        visit(group?.noAnswer);
        return;
      }
      case 'menu': {
        const menu = account.menus?.get(target.id);
        if (menu === undefined) return;
        menus.set(menu.id, menu);
        for (const next of [...Object.values(menu.options), menu.noKey, menu.invalid]) visit(next);
        return;
      }
      case 'queue': {
        const queue = account.queues?.get(target.id);
        if (queue === undefined) return;
        queues.set(queue.id, queue);
        phones.push(...phonesOfQueue(account, queue));
        for (const next of [queue.exit?.target, queue.full, queue.empty, queue.maxWait, queue.closed]) visit(next);
        return;
      }
      case 'user': {
        const user = indexOf(account).users.get(target.id);
        if (user !== undefined) phones.push(...devicesOf(user), ...forwardOf(user, asking(number.callConnect)));
        return;
      }
      case 'message':
        messages.push(target.message);
        return;
      case 'precedence':
        phones.push(...byPrecedence(account, number));
        return;
      case 'router':
        for (const next of targetsOfRouter(account.routers?.get(target.id))) visit(next);
        return;
      case 'voicemail':
      case 'hang-up':
    }
  };
  visit(number.route ?? { to: 'precedence' });
  visit(number.hours?.closed);
  visit(account.night?.closed);
  visit(account.night?.emergency);
  visit(number.noAnswer);
  return { receivingNumbers: [...receivingNumbers.values()], menus: [...menus.values()], queues: [...queues.values()], messages, phones };
}

/** Its agents' own, each for as long as an offer rings. */
export function phonesOfQueue(account: Account, { desk: { tiers, offerMs }, callConnect }: Queue): readonly Phone[] {
  const agents = tiers.flatMap((tier) => tier.agents).flatMap(({ agent }) => indexOf(account).users.get(agent) ?? []);
  return agents.flatMap(devicesOf).map((phone) => ({ ...phone, ringMs: Math.min(phone.ringMs ?? offerMs, offerMs), callConnect }));
}

function targetsOfRouter(router: Router<Target> | undefined): readonly Target[] {
  if (router === undefined) return [];
  const rules = router.kind === 'geo' ? router.geo : router.kind === 'rules' ? router.rules : router.weighted;
  return [...rules.map(({ target }) => target), router.default];
}

/** A forwarding number that is called for a user is asked for a key, whatever the number says (D10). */
export function asking(callConnect: CallConnect): CallConnect {
  return callConnect === 'off' ? 'external' : callConnect;
}

function byPrecedence(account: Account, number: TrackingNumber): readonly Phone[] {
  const order: readonly PrecedenceEntry[] = account.precedence ?? defaultPrecedence;
  const assigned = order.includes('number-user') ? assignedTo(account, number) : undefined;
  // whoever looks after the caller: it may be any of them
  const byOwner = order.includes('contact-owner') && (number.users.length > 0 || number.user !== undefined);
  const users = account.users.filter((user) => number.users.includes(user.id) || user.id === number.user || (byOwner && user.forward === undefined));
  return [
    ...(account.company === undefined || !order.includes('company') ? [] : [phoneAt(account.company, 'company')]),
    ...(number.forward === undefined || !order.includes('number-forward') ? [] : [phoneAt(number.forward, 'forward')]),
    ...account.users.filter((user) => user === assigned || byOwner).flatMap((user) => forwardOf(user)),
    ...users.flatMap(devicesOf),
  ].map((phone) => ({ ...phone, ringMs: Math.min(phone.ringMs ?? number.ringMs, number.ringMs) }));
}

function forwardOf(user: User, callConnect?: CallConnect): readonly Phone[] {
  if (user.forward === undefined) return [];
  return [phoneAt(callConnect === undefined ? user.forward : { callConnect, ...user.forward }, 'forward', user)];
}
