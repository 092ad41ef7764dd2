/** `frontdesk explain <number> [--from <number>]`: the plan such a call would run, from the compiler that routes live calls. */
import { parseArgs } from 'node:util';
import { compileFor } from '../core/routing/compile.ts';
import type { Media } from '../core/routing/config.ts';
import { explain } from '../core/routing/explain.ts';
import { StartError } from '../main.ts';
import { loadPlanFiles } from '../store/plan-files/load.ts';
import { formatProblems } from '../store/plan-files/problems.ts';
import { configOrError, say } from './start.ts';

export async function explainNumber(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { from: { type: 'string', default: '' }, name: { type: 'string', default: '' } },
    allowPositionals: true,
    strict: false,
  });
  const [dialled] = positionals;
  if (dialled === undefined) throw new StartError('Which number? For example: frontdesk explain +12025550110 --from +12025550187');
  const loaded = await loadPlanFiles(configOrError().planFile.split(','));
  if (!loaded.ok) throw new StartError(formatProblems(loaded.problems));
  for (const warning of loaded.config.warnings) say(`warning: ${warning}`);
  const plan = compileFor(loaded.config.clinics.map((clinic) => clinic.account), {
    dialled,
    callerNumber: String(values.from),
    callerName: String(values.name),
    // Which audio is ready is known to the running controller alone: shown as if all were.
    whisperMedia: (text): Media => `file:“${text}”`,
  });
  process.stdout.write(`${explain(plan)}\n`);
  return 0;
}
