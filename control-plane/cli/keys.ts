/** `frontdesk keys`: who may use the API. */
import { apiClient, itemsOf } from './api-client.ts';
import { say } from './say.ts';
import { argumentsOf, UsageError } from './usage-error.ts';

interface Key {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly account: string | null;
  readonly lastUsedAt: number | null;
}

export async function keys(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(args, { role: { type: 'string', default: 'account-admin' }, account: { type: 'string' } });
  const [what = 'list', subject, surplus] = positionals;
  if (surplus !== undefined) throw new UsageError(`“${surplus}” is one argument too many. See frontdesk --help.`);
  const client = apiClient();
  if (what === 'list') {
    for await (const key of itemsOf<Key>(client, '/api-keys')) {
      process.stdout.write(`${key.id}  ${key.role}  ${key.account ?? 'the agency'}  ${key.name}  ${key.lastUsedAt === null ? 'never used' : `last used ${new Date(key.lastUsedAt).toISOString()}`}\n`);
    }
    return 0;
  }
  if (what === 'create' && subject !== undefined) {
    const made = await client.post<{ readonly id: string; readonly secret: string }>('/api-keys', { name: subject, role: values.role, ...(values.account === undefined ? {} : { account: values.account }) });
    say(`Key ${made.id}; it is not shown again:`);
    process.stdout.write(`${made.secret}\n`);
    return 0;
  }
  if (what === 'delete' && subject !== undefined) {
    await client.delete(`/api-keys/${encodeURIComponent(subject)}`);
    return 0;
  }
  throw new UsageError('frontdesk keys [list], keys create <name> --role <role> [--account <id>], keys delete <id>.');
}
