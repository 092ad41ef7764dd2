/** `frontdesk explain <number> [--from <number>]`: the plan such a call would run, from the compiler that routes live calls. */
import { compileFor, findNumber } from '../core/routing/compile.ts';
import type { Media } from '../core/routing/config.ts';
import { explain } from '../core/routing/explain.ts';
import { StartError } from '../main.ts';
import { loadPlanFiles } from '../store/plan-files/load.ts';
import { formatProblems } from '../store/plan-files/problems.ts';
import { say } from './say.ts';
import { configOrError } from './start.ts';
import { argumentsOf, UsageError } from './usage-error.ts';

export async function explainNumber(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(args, { from: { type: 'string', default: '' }, name: { type: 'string', default: '' } });
  const [dialled, surplus] = positionals;
  if (dialled === undefined) throw new UsageError('Which number? For example: frontdesk explain +12025550110 --from +12025550187');
  if (surplus !== undefined) throw new UsageError(`One number, written without spaces: “${surplus}” is too much.`);
  const loaded = await loadPlanFiles(configOrError().planFiles);
  if (!loaded.ok) throw new StartError(formatProblems(loaded.problems));
  for (const warning of loaded.config.warnings) say(`warning: ${warning}`);
  const accounts = loaded.config.clinics.map((clinic) => clinic.account);
  const plan = compileFor(accounts, {
    dialled,
    callerNumber: values.from,
    callerName: values.name,
    at: Date.now(),
    callsOut: () => 0,
    // Which audio is ready is known to the running controller alone: shown as if all were.
    whisperMedia: (text): Media => `file:“${text}”`,
  });
  process.stdout.write(`${explain(plan)}\n`);
  if (findNumber(accounts, dialled) !== undefined) return 0;
  say(`No plan has the number ${dialled}; known are ${accounts.flatMap((account) => account.numbers.map((number) => number.e164)).join(', ')}.`);
  return 1;
}
