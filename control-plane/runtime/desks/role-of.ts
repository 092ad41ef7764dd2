import type { Lease } from '../lease.ts';

/** What a controller with this lease is to do with desks: `leads…`, under which token; `follows`; or `alone`. Without a lease it is the only one. */
export function roleOf(lease: Pick<Lease, 'leads' | 'sure' | 'away' | 'token'> | null): string {
  if (lease === null) return 'leads';
  if (!lease.sure()) return 'follows';
  if (lease.away()) return 'alone';
  return lease.leads() && lease.token() !== null ? `leads by ${lease.token()}` : 'follows';
}
