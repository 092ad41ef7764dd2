/**
 * A phone dials a code for an agent (Q2): `*41`, or behind it the PIN of whoever is at the phone, `*41*4711`. Without a
 * PIN who logs in is whose phone it is; in all else it is who is logged in on it, if somebody is. Pure, as compile.ts.
 */
import { codePlan } from './code-plan.ts';
import type { Account, AgentAction, CallFacts, User } from './config.ts';
import { indexOf, type OwnedDevice } from './index-of.ts';
import type { Plan, Reason } from './plan.ts';
import { actionWords } from './words.ts';

const doneTexts: Readonly<Record<AgentAction, string>> = { logIn: 'You are logged in.', logOut: 'You are logged out.', break: 'You are on a break.', available: 'You are available.' };
const notDoneText = 'That could not be done. Please dial again.';
const notLoggedInText = 'You are not logged in.';
const unknownPinText = 'Nobody has this PIN.';

/** Texts to have spoken before a code is dialled. */
export function agentTexts({ agentCodes = [], users }: Account): readonly string[] {
  if (agentCodes.length === 0) return [];
  const needsLogIn = agentCodes.some(({ action }) => choosesStatus(action));
  return [...agentCodes.map(({ action }) => doneTexts[action]), notDoneText, ...(needsLogIn ? [notLoggedInText] : []), ...(users.some(({ pin }) => pin !== undefined) ? [unknownPinText] : [])];
}

/** `phone`: the one that calls, by its name on the switch. Undefined when nobody has that phone, or its account has no such code. */
export function compileAgentCode(accounts: readonly Account[], phone: string, facts: CallFacts): Plan | undefined {
  for (const account of accounts) {
    const by = indexOf(account).phones.get(phone);
    if (by === undefined) continue;
    const asked = askedOf(account, facts.dialled);
    if (asked === undefined) return undefined;
    const { code, pin, action } = asked;
    const reasons: Reason[] = [{ subject: 'code', taken: true, why: `${code} is for agents of ${account.name}: ${actionWords[action]}` }];
    const refused = (text: string, why: string): Pick<Parameters<typeof codePlan>[0], 'outcome' | 'reasons'> => ({ outcome: { refused: text }, reasons: [...reasons, { subject: 'agent', taken: false, why }] });
    const done = (agent: User, why: string): ReturnType<typeof refused> => ({
      outcome: { setting: { of: 'agent', action, agent: agent.id, phone: phoneOf(by) }, set: doneTexts[action], notSet: notDoneText }, reasons: [...reasons, { subject: 'agent', taken: true, why }],
    });
    const isRefused = pin !== undefined && facts.pinsRefused?.(account.id, by.user.id) === true;
    const who = isRefused ? undefined : whoIsMeant(account, by, action, pin, facts);
    const isElsewhere = who !== undefined && choosesStatus(action) && facts.loggedIn !== undefined && !facts.loggedIn(account.id).some(({ agent, devices }) => agent === who.user.id && devices.length > 0);
    // Whoever guesses is not to learn from when on right ones are refused.
    const said = who === undefined ? refused(unknownPinText, isRefused ? `too many wrong PINs were dialled on phones of ${by.user.name}` : 'nobody has the PIN behind it') : isElsewhere ? refused(notLoggedInText, `${who.user.name} is not logged in`) : done(who.user, who.why);
    return codePlan({ account, by, dialled: pin === undefined ? code : `${code}*`, ...(pin === undefined ? {} : { secret: true }), ...(pin !== undefined && who === undefined ? { wrongPin: { user: by.user.id, phone: by.device.id, why: isRefused ? 'too-many' : 'unknown' } } : {}), label: `agent, ${actionWords[action]}`, ...said }, facts);
  }
  return undefined;
}

function askedOf({ agentCodes }: Account, dialled: string): { readonly code: string; readonly action: AgentAction; readonly pin: string | undefined } | undefined {
  const { code, pin } = /^(?<code>\*\d+)(?:\*(?<pin>\d*))?$/.exec(dialled)?.groups ?? {};
  const action = agentCodes?.find((one) => one.code === code)?.action;
  return code === undefined || action === undefined ? undefined : { code, action, pin };
}

function choosesStatus(action: AgentAction): boolean {
  return action === 'break' || action === 'available';
}

function phoneOf({ device: { id, target } }: OwnedDevice): string {
  return target.kind === 'device' ? target.device : id;
}

function whoIsMeant(account: Account, by: OwnedDevice, action: AgentAction, pin: string | undefined, { loggedIn }: CallFacts): { readonly user: User; readonly why: string } | undefined {
  const { users } = indexOf(account);
  if (pin !== undefined) {
    const user = account.users.find((one) => one.pin === pin);
    return user === undefined ? undefined : { user, why: `the PIN behind it is that of ${user.name}` };
  }
  const there = action === 'logIn' ? undefined : loggedIn?.(account.id).find(({ devices }) => devices.includes(phoneOf(by)));
  const user = there === undefined ? undefined : users.get(there.agent);
  return user === undefined ? { user: by.user, why: `it is the phone of ${by.user.name}` } : { user, why: `${user.name} is logged in on the phone` };
}
