/** A phone dials a code of its account's night switch (M6). Pure, as compile.ts. */
import { codePlan } from './code-plan.ts';
import type { Account, CallFacts } from './config.ts';
import { indexOf } from './index-of.ts';
import type { NightSetting } from './night.ts';
import type { Plan } from './plan.ts';

const setTexts: Readonly<Record<NightSetting, string>> = {
  open: 'The night switch is set to open.', closed: 'The night switch is set to closed.', emergency: 'The night switch is set to emergency.',
};
const notSetText = 'The night switch could not be set. Please dial again.';
const refusedText = 'This phone may not set the night switch.';

/** Texts to have spoken before a code is dialled. */
export function nightTexts({ night }: Account): readonly string[] {
  const { codes = [], users } = night ?? {};
  return codes.length === 0 ? [] : [...codes.map(({ setting }) => setTexts[setting]), notSetText, ...(users === undefined ? [] : [refusedText])];
}

/** `phone`: the one that calls, by its name on the switch. Undefined when nobody has that phone, or its account has no such code. */
export function compileNightCode(accounts: readonly Account[], phone: string, facts: CallFacts): Plan | undefined {
  for (const account of accounts) {
    const by = indexOf(account).phones.get(phone);
    if (by === undefined) continue;
    const setting = account.night?.codes?.find(({ code }) => code === facts.dialled)?.setting;
    if (setting === undefined) return undefined;
    const may = account.night?.users?.includes(by.user.id) ?? true;
    const reasons = [
      { subject: 'code', taken: true, why: `${facts.dialled} sets the night switch of ${account.name} to ${setting}` },
      { subject: 'night-switch', taken: may, why: `${by.user.name} ${may ? 'may' : 'may not'} set it${account.night?.users === undefined ? ', as every phone of the account' : ''}` },
    ];
    const outcome = may ? { setting: { of: 'night-switch', to: setting } as const, set: setTexts[setting], notSet: notSetText } : { refused: refusedText };
    return codePlan({ account, by, dialled: facts.dialled, label: `night switch, ${setting}`, reasons, outcome }, facts);
  }
  return undefined;
}
