/** The night switch as a code on a phone sets it (M6): a change like one over the API, with the phone for its actor. */
import type { Configuration } from '../configuration/configuration.ts';
import { nightSwitchId } from '../configuration/night.ts';
import type { Setting } from '../core/routing/plan.ts';
import type { SettingChanger } from '../runtime/controller.ts';
import { StoreAwayError, type AuditStore } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';

export interface NightSwitchParts {
  readonly configuration: Pick<Configuration, 'get' | 'write'>;
  readonly audit: Pick<AuditStore, 'write'>;
  readonly log: Log;
}

/** Somebody else may set it in the same moment; the later one counts. */
const mostRounds = 5;

export function nightSwitchSetter({ configuration, audit, log }: NightSwitchParts): SettingChanger<Extract<Setting, { of: 'night-switch' }>> {
  return async ({ id: call, offer, plan }, { to: setting }, note) => {
    const key = { account: plan.account.id, kind: 'night-switch', id: nightSwitchId } as const;
    const actor = `phone ${offer.phone ?? offer.caller.number}`;
    let why = 'others set it at the same time';
    try {
      for (let round = 0; round < mostRounds; round += 1) {
        const version = configuration.get(key)?.version ?? null;
        const result = await configuration.write([{ ...key, version, body: { mode: setting, note } }], actor);
        if (!result.ok && (result.reason === 'stale' || result.reason === 'exists' || result.reason === 'missing')) continue;
        if (!result.ok) {
          why = result.problems.map(({ path, message }) => `${path} ${message}`).join(' ');
          break;
        }
        const entry = { at: Date.now(), actor, account: key.account, action: `night-switch.${version === null ? 'create' : 'update'}`, subject: `${key.account}/${key.kind}/${key.id}`, outcome: 'ok', address: '', details: { call, dialled: offer.dialled, setting, note } } as const;
        await audit.write(entry).catch((error: unknown) => { log.error({ entry, error: String(error) }, 'An entry of the audit log could not be written'); });
        return { ok: true, why: note };
      }
    } catch (error) {
      if (!(error instanceof StoreAwayError)) throw error;
      why = error.mayHaveHappened ? `it is not known whether it was: ${error.message}` : error.message;
    }
    log.warn({ call, account: key.account, setting, why }, 'The night switch was not set by the code that a phone dialled');
    return { ok: false, why };
  };
}
