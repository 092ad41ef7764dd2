/**
 * Who takes a call, as two vendors write it for their customers: every case of it as a line. `-`: it makes no difference.
 *
 * company-first: the company's number if there is one; else the number's forwarding; else the forwarding of the user whom the
 * number is assigned to; else the call stays inside.
 * owner-first: the user to whom the caller is assigned, if the number has a user too; else the number's forwarding; else
 * the company's number.
 */
type Cell = 'yes' | 'no' | '-';

export interface CompanyFirst {
  readonly company: Cell;
  readonly forward: Cell;
  readonly usersForward: Cell;
  readonly takes: 'company' | 'forward' | 'user' | 'inside';
}

export const companyFirst: readonly CompanyFirst[] = [
  { company: 'yes', forward: '-', usersForward: '-', takes: 'company' },
  { company: 'no', forward: 'yes', usersForward: '-', takes: 'forward' },
  { company: 'no', forward: 'no', usersForward: 'yes', takes: 'user' },
  { company: 'no', forward: 'no', usersForward: 'no', takes: 'inside' },
];

export interface OwnerFirst {
  readonly numberHasUser: Cell;
  readonly callerHasOwner: Cell;
  readonly forward: Cell;
  readonly company: Cell;
  readonly takes: 'owner' | 'forward' | 'company' | 'inside';
}

export const ownerFirst: readonly OwnerFirst[] = [
  { numberHasUser: 'yes', callerHasOwner: 'yes', forward: '-', company: '-', takes: 'owner' },
  { numberHasUser: 'no', callerHasOwner: '-', forward: 'yes', company: '-', takes: 'forward' },
  { numberHasUser: '-', callerHasOwner: 'no', forward: 'yes', company: '-', takes: 'forward' },
  { numberHasUser: 'no', callerHasOwner: '-', forward: 'no', company: 'yes', takes: 'company' },
  { numberHasUser: '-', callerHasOwner: 'no', forward: 'no', company: 'yes', takes: 'company' },
  { numberHasUser: 'no', callerHasOwner: '-', forward: 'no', company: 'no', takes: 'inside' },
  { numberHasUser: '-', callerHasOwner: 'no', forward: 'no', company: 'no', takes: 'inside' },
];

/** Each line with its `-` filled in, both ways. */
export function casesOf<Line extends object>(lines: readonly Line[]): readonly Line[] {
  return lines.flatMap((line): readonly Line[] => {
    const open = Object.entries(line).find(([, cell]) => cell === '-');
    return open === undefined ? [line] : casesOf(['yes', 'no'].map((cell): Line => ({ ...line, [open[0]]: cell })));
  });
}
