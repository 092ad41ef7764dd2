import { parseArgs, type ParseArgsConfig } from 'node:util';

/** The command line was not as it must be; `message` says how. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** `parseArgs`, whose refusals become a sentence for the person at the terminal. */
export function argumentsOf<const T extends NonNullable<ParseArgsConfig['options']>>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    // Node explains at length how a positional may begin with a dash; the first sentence is the point.
    throw new UsageError(`${(error instanceof Error ? error.message : String(error)).split('. ')[0]?.replace(/\.$/, '') ?? ''}. See frontdesk --help.`, { cause: error });
  }
}

/** For commands that take no arguments. */
export function noArguments(args: readonly string[]): void {
  const [first] = argumentsOf(args, {}).positionals;
  if (first !== undefined) throw new UsageError(`“${first}” is one argument too many. See frontdesk --help.`);
}
