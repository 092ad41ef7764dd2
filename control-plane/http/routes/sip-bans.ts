/** Addresses that guessed SIP passwords: who is banned, and lifting it. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { pageOf, pageQuery, sipBanSchema } from '../answers.ts';
import { pageOfList } from '../pages.ts';
import type { ApiDeps } from '../ports.ts';
import { HttpProblem, notFound } from '../problem.ts';
import { nothing, route, type Route } from '../route.ts';

export function sipBanRoutes({ sipBans }: Pick<ApiDeps, 'sipBans'>): readonly Route[] {
  const common = { tag: 'SIP bans', role: 'agency-admin', scope: 'agency' } as const;
  return [
    route({
      ...common, method: 'get', path: '/sip-bans', summary: 'List banned addresses', description: 'Addresses that guessed SIP passwords. The switch answers them with 403, whatever the password. Of this controller.', status: 200,
      params: nothing, query: z.strictObject(pageQuery), answer: { json: pageOf(sipBanSchema) },
      handle: ({ query }) => ({ status: 200, body: pageOfList(sipBans.list(), ({ address }) => address, query) }),
    }),
    route({
      ...common, method: 'delete', path: '/sip-bans/{address}', summary: 'Lift a ban', description: 'Acts on the next request. Of a network of IPv6, leave out the `/64`.', status: 204,
      params: z.strictObject({ address: z.string().refine((value) => isIP(value) !== 0, 'must be an IP address') }), query: nothing, answer: null, audit: 'sip-ban.delete',
      handle: async ({ params }) => {
        const lifted = await sipBans.lift(params.address).catch((error: unknown) => {
          throw new HttpProblem(503, error instanceof Error ? error.message : String(error));
        });
        if (!lifted) throw notFound();
        return { status: 204 };
      },
    }),
  ];
}
