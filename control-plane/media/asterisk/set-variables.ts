import type { LegId } from '../../core/ids.ts';
import type { AriClient } from './ari/ari-client.ts';
import type { AriResult } from './ari/ari-result.ts';
import { setByReading } from './identity.ts';

/** Settles with the reply to the request that the variable was set by; never rejects. */
export type SetVariable = (ari: AriClient, channelId: LegId, name: string, value: string) => Promise<AriResult<unknown>>;

/** Not what would be expanded, or end the expression around it; braces that enclose each other, as JSON has them, do neither. */
const mayNest = (value: string): boolean => !/[$()\\]/.test(value) && !(value.match(/"[^"]*"/g) ?? []).some((text) => /[{}]/.test(text));

/** What is set on one channel in one turn of the event loop goes in one request. */
export function gatherVariables(): SetVariable {
  const waiting = new Map<LegId, { readonly sets: string[]; readonly reply: Promise<AriResult<unknown>> }>();

  const send = async (ari: AriClient, channelId: LegId): Promise<AriResult<unknown>> => {
    const sets = waiting.get(channelId)?.sets ?? [];
    waiting.delete(channelId);
    const ask = (variable: string): Promise<AriResult<unknown>> => ari.request('channels.getChannelVar', { channelId, variable });
    const [first = '', ...others] = sets;
    if (others.length === 0) return ask(first);
    return ask(`EVAL(${sets.map((set) => `\${${set}}`).join('')})`);
  };

  return (ari, channelId, name, value) => {
    const set = setByReading(name, value);
    if (!mayNest(value)) return ari.request('channels.getChannelVar', { channelId, variable: set });
    const already = waiting.get(channelId);
    if (already !== undefined) {
      already.sets.push(set);
      return already.reply;
    }
    const reply = Promise.resolve().then(() => send(ari, channelId));
    waiting.set(channelId, { sets: [set], reply });
    return reply;
  };
}
