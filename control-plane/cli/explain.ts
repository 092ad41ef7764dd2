/**
 * `frontdesk explain <number>`: the plan such a call would run, from the compiler that routes live calls. Of plan files, or
 * with `--account` of a running Frontdesk, over its API.
 */
import { compileFor, findNumber } from '../core/routing/compile.ts';
import type { Account, CallFacts, Media } from '../core/routing/config.ts';
import { openGeo } from '../geo/geo-of.ts';
import { localTime } from '../hours/local-time.ts';
import { explain, rememberTexts, withoutPlaces } from '../core/routing/explain.ts';
import { compileAgentCode } from '../core/routing/agent-code.ts';
import { compileNightCode } from '../core/routing/night-code.ts';
import type { EpochMs } from '../core/time.ts';
import { explanationAnswer } from '../http/explanation.ts';
import { StartError } from '../main.ts';
import { loadPlanFiles } from '../store/plan-files/load.ts';
import { formatProblems } from '../store/plan-files/problems.ts';
import { apiClient } from './api-client.ts';
import { say } from './say.ts';
import { configOrError } from './start.ts';
import { argumentsOf, UsageError } from './usage-error.ts';

interface Asked {
  readonly dialled: string;
  readonly from: string;
  readonly name: string;
  readonly at: EpochMs;
}

/** Of an explanation as the API gives it. */
type Told = Readonly<Record<string, unknown>>;

export async function explainNumber(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(args, {
    from: { type: 'string', default: '' }, name: { type: 'string', default: '' }, at: { type: 'string' }, account: { type: 'string' },
    json: { type: 'boolean', default: false }, diagram: { type: 'boolean', default: false },
  });
  const [dialled, surplus] = positionals;
  if (dialled === undefined) throw new UsageError('Which number? For example: frontdesk explain +12025550110 --from +12025550187');
  if (surplus !== undefined) throw new UsageError(`One number, written without spaces: “${surplus}” is too much.`);
  if (values.json && values.diagram) throw new UsageError('--json has the diagram too: leave --diagram out.');
  if (values.account !== undefined && values.name !== '') throw new UsageError('--name is for plan files: leave it out beside --account.');
  const asked: Asked = { dialled, from: values.from, name: values.name, at: values.at === undefined ? Date.now() : instantOf(values.at) };
  const { told, problem } = values.account === undefined ? await ofPlanFiles(asked) : await ofRunning(values.account, asked);
  if (told !== undefined) process.stdout.write(`${values.json ? JSON.stringify(told, null, 2) : String(told[values.diagram ? 'diagram' : 'text'])}\n`);
  if (problem === undefined) return 0;
  say(problem);
  return 1;
}

function instantOf(text: string): EpochMs {
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new UsageError(`--at “${text}” is no instant. For example: --at 2026-03-02T08:30, by this machine’s clock, or 2026-03-02T08:30-06:00`);
  return at;
}

async function ofPlanFiles({ dialled, from, name, at }: Asked): Promise<{ readonly told: Told; readonly problem?: string }> {
  const loaded = await loadPlanFiles(configOrError().planFiles);
  if (!loaded.ok) throw new StartError(formatProblems(loaded.problems));
  for (const warning of loaded.config.warnings) say(`warning: ${warning}`);
  const accounts = loaded.config.clinics.map((clinic) => clinic.account);
  const geoOf = await openGeo();
  // Which audio is ready is known to the running controller alone: shown as if all were.
  const texts = rememberTexts((text): Media => `file:${text}`);
  const facts: CallFacts = {
    callId: `explained ${from} ${at}`, dialled, callerNumber: from, callerName: name, at,
    localTime: (timezone) => localTime(timezone, at),
    placeOf: (account, number) => geoOf(number, loaded.config.clinics.find((clinic) => clinic.account.id === account)?.country ?? ''),
    callsOut: () => 0,
    // Contacts are in no plan: the API's explain knows them.
    contact: () => undefined,
    whisperMedia: texts.whisperMedia,
    holdMusic: 'file:hold-music',
  };
  const code = compileNightCode(accounts, from, facts) ?? compileAgentCode(accounts, from, facts);
  const plan = code ?? compileFor(accounts, facts);
  const told = explanationAnswer({ plan: withoutPlaces(plan, texts.words), text: explain(plan, texts.words), rate: null }, { caller: from, at });
  return code === undefined && findNumber(accounts, dialled) === undefined ? { told, problem: noSuchNumber(dialled, accounts) } : { told };
}

function noSuchNumber(dialled: string, accounts: readonly Account[]): string {
  return `No plan has the number ${dialled}; known are ${accounts.flatMap((account) => account.numbers.map((number) => number.e164)).join(', ')}.`;
}

async function ofRunning(account: string, { dialled, from, at }: Asked): Promise<{ readonly told?: Told; readonly problem?: string }> {
  const client = apiClient();
  const number = `+${dialled.replace(/^\+/, '')}`;
  const numbers = `/accounts/${encodeURIComponent(account)}/numbers`;
  const { items: [found] } = await client.get<{ readonly items: readonly { readonly id: string }[] }>(`${numbers}?e164=${encodeURIComponent(number)}`);
  if (found === undefined) return { problem: `The account ${account} has no number ${number}.` };
  const query = new URLSearchParams({ caller: from, at: new Date(at).toISOString() });
  return { told: await client.get<Told>(`${numbers}/${found.id}/explain?${String(query)}`) };
}
