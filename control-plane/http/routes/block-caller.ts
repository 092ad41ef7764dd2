/** R6: whoever has a caller on the line, or had, blocks them from the call. */
import { z } from 'zod';
import { id as idField, e164 } from '../../configuration/fields.ts';
import type { Doc } from '../../configuration/documents.ts';
import { blockedAnswer } from '../answers.ts';
import type { ApiDeps } from '../ports.ts';
import { HttpProblem, notFound, refused } from '../problem.ts';
import { nothing, route, type Route } from '../route.ts';
import { subjectOf } from './objects.ts';
import { callOrRecordingId } from './recordings.ts';

type Blocked = NonNullable<Doc<'account'>['blocked']>;

/** Others may write the account meanwhile; more rounds than this is a fault. */
const mostRounds = 10;

const fates: Readonly<Record<Blocked['action'], string>> = { reject: 'are refused', voicemail: 'go to voicemail', message: 'hear a message and are hung up' };

export function blockCallerRoute({ calls, cdrs, configuration }: Pick<ApiDeps, 'calls' | 'cdrs' | 'configuration'>): Route {
  return route({
    method: 'post', path: '/accounts/{account}/calls/{id}/block-caller', tag: 'Calls', summary: 'Block a call’s caller',
    description: 'Of a live call or a past one. The number joins `blocked.numbers` of the account, with `action` reject where the account blocked nobody. A live call goes on; the caller’s next call meets the block. Done again, it changes nothing.',
    role: 'account-admin', scope: 'account', status: 200,
    params: z.strictObject({ account: idField, id: callOrRecordingId }), query: nothing, answer: { json: blockedAnswer }, audit: 'call.block-caller',
    handle: async ({ params, key }) => {
      const call = calls.get(params.id) ?? (await cdrs.get(params.id));
      if (call === null || call.account !== params.account) throw notFound();
      const number = numberOf(call.caller.number);
      const object = { account: params.account, kind: 'account', id: params.account } as const;
      for (let round = 0; round < mostRounds; round += 1) {
        const account = configuration.get(object);
        if (account === undefined) throw notFound();
        const { blocked } = account.body;
        const told = (added: boolean, { action }: Pick<Blocked, 'action'>) => ({
          status: 200, subject: subjectOf(object), body: { number, added, action, sentence: sentenceOf(number, added, action, blocked === undefined) },
        });
        if (blocked?.numbers.includes(number) === true) return told(false, blocked);
        const wanted: Blocked = { anonymous: false, action: 'reject', ...blocked, numbers: [...(blocked?.numbers ?? []), number] };
        const result = await configuration.write([{ ...object, version: account.version, body: { ...account.body, blocked: wanted } }], key.id);
        if (result.ok) return told(true, wanted);
        if (result.reason !== 'stale') throw refused(result);
      }
      throw new HttpProblem(412, 'The account is changed by others all the time: try again.');
    },
  });
}

/** As it is compared with callers later: by its digits. */
function numberOf(caller: string): string {
  if (caller === '') throw new HttpProblem(409, 'The caller showed no number, so there is none to block. `blocked.anonymous` of the account turns away all callers who show none.');
  const parsed = e164.safeParse(`+${caller.replace(/^\+|[\s().-]/g, '')}`);
  if (!parsed.success) throw new HttpProblem(409, `The caller shows ${JSON.stringify(caller)}, which is no telephone number: callers are blocked by theirs.`);
  return parsed.data;
}

function sentenceOf(number: string, added: boolean, action: Blocked['action'], first: boolean): string {
  const fate = `calls from ${number} ${fates[action]}`;
  if (!added) return `It was blocked already: ${fate}.`;
  return first ? `The account blocked nobody until now: from the next one on, ${fate}.` : `From the next one on, ${fate}.`;
}
