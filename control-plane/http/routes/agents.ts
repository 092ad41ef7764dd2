/** Q2, Q7: agents of queues as they are now, what they choose, and who waits in a queue. */
import { z } from 'zod';
import { id as idField } from '../../configuration/fields.ts';
import type { ConfigObject } from '../../configuration/objects.ts';
import { agentsIn } from '../../configuration/queues.ts';
import type { Status } from '../../core/queue/desk.ts';
import { serviceLevel, serviceLevelOfAnswered } from '../../core/queue/figures.ts';
import type { AgentNow, ApiDeps } from '../ports.ts';
import { HttpProblem, notFound } from '../problem.ts';
import { nothing, route, type Route } from '../route.ts';

const statuses = ['available', 'on-demand', 'break', 'offline'] as const satisfies readonly Status[];
const statusMeaning = 'available: is offered calls. on-demand: one call each time they ask for it. break: is not, and is still logged in. offline: has gone.';

const at = z.int().meta({ description: 'Epoch ms.' });
const agentSchema = z.strictObject({
  id: z.string().meta({ description: 'Of the user.' }), account: z.string(), name: z.string(),
  queues: z.array(z.string()).meta({ description: 'In which the agent is listed.' }),
  status: z.enum(statuses).meta({ description: `Chosen. ${statusMeaning}` }), statusSince: at.nullable().meta({ description: 'Null: never chosen.' }),
  state: z.enum(['idle', 'offered', 'on-call', 'wrap-up']).meta({ description: 'Measured.' }), stateSince: at.nullable(),
  devices: z.array(z.string()).meta({ description: 'On which the agent is logged in; they ring for offers.' }),
  ready: z.boolean().meta({ description: 'On demand: has asked for the next call.' }),
  offer: z.strictObject({ id: z.string(), callId: z.string() }).nullable().meta({ description: 'What rings for the agent now.' }),
  calls: z.array(z.string()).meta({ description: 'Live calls, whatever way they came.' }),
  wrapUpUntil: at.nullable(), restUntil: at.nullable().meta({ description: 'Not asked before, after an offer that was not taken.' }),
  missed: z.int().meta({ description: 'Offers missed one after the other.' }),
}).meta({ id: 'Agent' });

const share = z.number().nullable().meta({ description: 'From 0 to 1; null while there is nothing to count.' });
const liveQueueSchema = z.strictObject({
  id: z.string(), account: z.string(),
  waiting: z.array(z.strictObject({
    callId: z.string(), position: z.int().meta({ description: '1 is next.' }), caller: z.string().nullable().meta({ description: 'Null where the number is withheld.' }), priority: z.int(),
    joinedAt: at, enteredAt: at.meta({ description: 'By which the place is; before `joinedAt` where a place was regained.' }), waitedMs: z.int(), offeredTo: z.array(z.string()).meta({ description: 'Agents who are asked now.' }),
    callback: z.boolean().meta({ description: 'The caller has hung up and is to be called back in the place.' }),
  })).meta({ description: 'In order.' }),
  figures: z.strictObject({
    since: at, serviceLevelMs: z.int().meta({ description: 'Answered within this is answered in time.' }), entered: z.int(), answered: z.int(), answeredInTime: z.int(), abandoned: z.int(), regained: z.int().meta({ description: 'Of the abandoned: back in their place within a minute.' }),
    sentOn: z.int().meta({ description: 'Left by a key, or by a rule such as the longest wait.' }), refused: z.int().meta({ description: 'Not let in: full, or nobody there.' }), averageWaitMs: z.number().nullable().meta({ description: 'Of the answered.' }), longestWaitMs: z.int(),
    serviceLevel: share, serviceLevelOfAnswered: share,
  }),
}).meta({ id: 'LiveQueue' });

export function agentRoutes({ configuration, desks, now }: Pick<ApiDeps, 'configuration' | 'desks' | 'now'>): readonly Route[] {
  const one = '/accounts/{account}/agents/{id}';
  const common = { tag: 'Agents', scope: 'account', status: 200 } as const;
  const ofOne = { ...common, params: z.strictObject({ account: idField, id: idField }), query: nothing, answer: { json: agentSchema } } as const;
  const changing = { ...ofOne, role: 'account-admin' } as const;
  type One = { readonly account: string; readonly id: string };

  const userOf = ({ account, id }: One): ConfigObject<'user'> => {
    const user = configuration.get({ account, kind: 'user', id });
    if (user === undefined) throw notFound();
    return user;
  };
  /** Routing knows a desk phone by its extension. */
  const devicesOf = (account: string): readonly { readonly id: string; readonly user: string; readonly known: string }[] => configuration.list('device', account).map(({ id, body }) => ({ id, user: body.user, known: body.extension ?? id }));
  const listed = (account: string): ReadonlyMap<string, readonly string[]> => {
    const queues = new Map<string, string[]>();
    for (const { id, body } of configuration.list('queue', account)) for (const { user } of agentsIn(body)) queues.set(user, [...(queues.get(user) ?? []), id]);
    return queues;
  };
  const answers = async (account: string): Promise<readonly z.output<typeof agentSchema>[]> => {
    const found = new Map((await desks.agents(account)).map((agent) => [agent.id, agent]));
    const queues = listed(account);
    const ids = new Map(devicesOf(account).map(({ id, known }) => [known, id]));
    return configuration.list('user', account)
      .filter(({ id }) => queues.has(id) || found.has(id))
      .map(({ id, body }) => ({ id, account, name: body.name, queues: [...(queues.get(id) ?? [])], ...stateOf(found.get(id), ids, now()) }));
  };
  /** A user who is in no queue and never logged in is nobody's agent, and may become one. */
  const answerOf = async ({ account, id }: One): Promise<z.output<typeof agentSchema>> => {
    const user = userOf({ account, id });
    return (await answers(account)).find((agent) => agent.id === id) ?? { id, account, name: user.body.name, queues: [], ...stateOf(undefined, new Map(), now()) };
  };

  return [
    route({
      ...common, method: 'get', path: '/accounts/{account}/agents', summary: 'List agents as they are now', description: 'Users whom a queue lists, and those who have logged in.', role: 'read-only',
      params: z.strictObject({ account: idField }), query: z.strictObject({ queue: idField.optional().meta({ description: 'Of this queue alone.' }) }), answer: { json: z.strictObject({ items: z.array(agentSchema) }) },
      handle: async ({ params: { account }, query: { queue } }) => {
        if (queue !== undefined && configuration.get({ account, kind: 'queue', id: queue }) === undefined) throw new HttpProblem(400, 'The query cannot be accepted.', { problems: [{ path: 'queue', message: `there is no queue “${queue}”. Create it first, or correct the id.` }] });
        return { status: 200, body: { items: (await answers(account)).filter(({ queues }) => queue === undefined || queues.includes(queue)) } };
      },
    }),
    route({
      ...ofOne, method: 'get', path: one, summary: 'Get an agent as they are now', role: 'read-only',
      handle: async ({ params }) => ({ status: 200, body: await answerOf(params) }),
    }),
    route({
      ...changing, method: 'put', path: `${one}/status`, summary: 'Choose an agent’s status', description: statusMeaning, audit: 'agent.status',
      body: z.strictObject({ status: z.string('must be text').max(40) }), documented: z.strictObject({ status: z.enum(statuses) }),
      handle: async ({ params, body }) => {
        userOf(params);
        const status = statuses.find((known) => known === body.status);
        if (status === undefined) throw new HttpProblem(400, `There is no status “${body.status}”: choose one of ${statuses.join(', ')}.`, { problems: [{ path: 'status', message: `must be one of: ${statuses.join(', ')}.` }] });
        await desks.chooseStatus(params.account, params.id, status);
        return { status: 200, details: { chosen: status }, body: await answerOf(params) };
      },
    }),
    route({
      ...changing, method: 'put', path: `${one}/devices`, summary: 'Log an agent in on phones', description: 'On phones of the account, be they another’s; those of before ring for the agent no more. Without `devices`, on the agent’s own. Who is logged in is offered calls once the status is available.', audit: 'agent.log-in',
      body: z.strictObject({ devices: z.array(idField, 'must be a list of device ids').min(1, 'must name a device').max(10, 'takes at most 10 devices').optional() }),
      handle: async ({ params, body }) => {
        userOf(params);
        const all = devicesOf(params.account);
        const wanted = body.devices ?? all.filter(({ user }) => user === params.id).map(({ id }) => id);
        const missing = wanted.flatMap((id, i) => (all.some((device) => device.id === id) ? [] : [{ path: `devices[${i}]`, message: `there is no device “${id}”. Create it first, or correct the id.` }]));
        if (missing.length > 0) throw new HttpProblem(422, 'The body cannot be accepted.', { problems: missing });
        if (wanted.length === 0) throw new HttpProblem(422, 'The body cannot be accepted.', { problems: [{ path: 'devices', message: 'is missing: the agent has no phone of their own. Name one of the account.' }] });
        await desks.logIn(params.account, params.id, all.filter(({ id }) => wanted.includes(id)).map(({ known }) => known));
        return { status: 200, details: { devices: wanted }, body: await answerOf(params) };
      },
    }),
    route({
      ...changing, method: 'delete', path: `${one}/devices`, summary: 'Log an agent out', audit: 'agent.log-out',
      handle: async ({ params }) => {
        userOf(params);
        await desks.logOut(params.account, params.id);
        return { status: 200, body: await answerOf(params) };
      },
    }),
    route({
      ...changing, method: 'post', path: `${one}/ready`, summary: 'End an agent’s wrap-up', description: 'And the pause after an offer that was not taken. On demand, it asks for the next call.', audit: 'agent.ready',
      handle: async ({ params }) => {
        userOf(params);
        await desks.ready(params.account, params.id);
        return { status: 200, body: await answerOf(params) };
      },
    }),
    route({
      ...ofOne, method: 'get', path: '/accounts/{account}/queues/{id}/live', summary: 'Get who waits in a queue', description: 'And how well its callers have been served since the desk began to count.', role: 'read-only', answer: { json: liveQueueSchema },
      handle: async ({ params: { account, id } }) => {
        const queue = configuration.get({ account, kind: 'queue', id });
        if (queue === undefined) throw notFound();
        const shown = await desks.queue(account, id);
        if (shown === null) throw new HttpProblem(503, 'The desk does not know the queue yet: try again shortly.', { headers: { 'retry-after': '1' } });
        const offered = new Map((await desks.agents(account)).flatMap((agent) => (agent.offer === null ? [] : [[agent.offer, agent.id] as const])));
        const { regained, refused, entered, answered, answeredInTime, abandoned, sentOn, waitedMs, longestWaitMs } = shown.figures;
        const waiting = shown.waiting.map(({ callId, number, priority, joinedAt, enteredAt, offers, callback }, i) => ({
          callId, position: i + 1, caller: number, priority, joinedAt, enteredAt, waitedMs: Math.max(0, now() - joinedAt), offeredTo: offers.flatMap((offer) => offered.get(offer) ?? []), callback: callback !== null,
        }));
        const figures = {
          since: shown.since, serviceLevelMs: queue.body.serviceLevelSeconds * 1000, entered, answered, answeredInTime, abandoned, regained, sentOn, refused,
          averageWaitMs: answered === 0 ? null : waitedMs / answered, longestWaitMs, serviceLevel: serviceLevel(shown.figures), serviceLevelOfAnswered: serviceLevelOfAnswered(shown.figures),
        };
        return { status: 200, body: { id, account, waiting, figures } };
      },
    }),
  ];
}

type Seen = Omit<z.output<typeof agentSchema>, 'id' | 'account' | 'name' | 'queues'>;

/** `ids`: of devices, by what routing knows them by. */
function stateOf(agent: AgentNow | undefined, ids: ReadonlyMap<string, string>, now: number): Seen {
  if (agent === undefined) return { status: 'offline', statusSince: null, state: 'idle', stateSince: null, devices: [], ready: false, offer: null, calls: [], wrapUpUntil: null, restUntil: null, missed: 0 };
  const { status, statusAt, state, stateSince, devices, ready, offer, calls, wrapUpUntil, restUntil, missed } = agent;
  return {
    status, statusSince: statusAt === 0 ? null : statusAt, state, stateSince, ready, missed, calls: [...calls],
    devices: devices.flatMap((known) => ids.get(known) ?? []),
    offer: offer === null ? null : { id: offer, callId: offer.slice(0, offer.lastIndexOf('--o')) },
    wrapUpUntil: wrapUpUntil > now ? wrapUpUntil : null, restUntil: restUntil > now ? restUntil : null,
  };
}
