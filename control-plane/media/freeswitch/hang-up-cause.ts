import { causeOfQ850, causes, type Cause } from '../../core/cause.ts';

/** FreeSWITCH's own names, where the one that Q.850's number has says less. */
const byName: Readonly<Record<string, Cause>> = {
  USER_BUSY: 'busy',
  NO_ANSWER: 'no-answer',
  ALLOTTED_TIMEOUT: 'no-answer',
  PROGRESS_TIMEOUT: 'no-answer',
  RECOVERY_ON_TIMER_EXPIRE: 'no-response',
  NO_USER_RESPONSE: 'no-response',
  SUBSCRIBER_ABSENT: 'absent',
  USER_NOT_REGISTERED: 'absent',
  GATEWAY_DOWN: 'out-of-order',
  ORIGINATOR_CANCEL: 'canceled',
  CALL_REJECTED: 'declined',
  LOSE_RACE: 'answered-elsewhere',
  PICKED_OFF: 'answered-elsewhere',
  NORMAL_CLEARING: 'normal',
  BLIND_TRANSFER: 'transferred',
  ATTENDED_TRANSFER: 'transferred',
};

/** What a leg is hung up with: the switch makes of it the SIP status of a caller that was not answered, and the Reason of the others. */
export function switchCause(cause: Cause): string {
  return switchCauses[cause] ?? 'NORMAL_CLEARING';
}

const switchCauses: Partial<Record<Cause, string>> = {
  'answered-elsewhere': 'LOSE_RACE',
  busy: 'USER_BUSY',
  'no-answer': 'NO_ANSWER',
  'no-response': 'RECOVERY_ON_TIMER_EXPIRE',
  absent: 'SUBSCRIBER_ABSENT',
  declined: 'CALL_REJECTED',
  'out-of-order': 'DESTINATION_OUT_OF_ORDER',
  'invalid-number': 'INVALID_NUMBER_FORMAT',
  unallocated: 'UNALLOCATED_NUMBER',
  congestion: 'NORMAL_CIRCUIT_CONGESTION',
  'temporary-failure': 'NORMAL_TEMPORARY_FAILURE',
  incompatible: 'INCOMPATIBLE_DESTINATION',
  interworking: 'INTERWORKING',
};

/** Why a leg ended. `asked` is the cause of our own hang-up, which the switch gives back as one that several share. */
export function causeOfEnd(name: string, q850: number, asked: Cause | undefined): Cause {
  if (asked !== undefined && name === switchCause(asked)) return asked;
  return byName[name] ?? causeOfQ850(q850);
}

/** The name is one that stands for an error of the dial itself: nothing has left. */
export function isBeforeTheInvite(name: string): boolean {
  const cause = byName[name];
  return name === 'INVALID_GATEWAY' || name === 'CHAN_NOT_IMPLEMENTED' || name === 'INVALID_PROFILE' || name === 'INVALID_URL' || (cause !== undefined && !causes[cause].mayHaveRung);
}
