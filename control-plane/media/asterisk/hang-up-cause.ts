import { causeOfQ850, causes, type Cause } from '../../core/cause.ts';

export interface SwitchEnd {
  /** Q.850, as in `ChannelDestroyed`. */
  readonly cause: number;
  /** SIP status, when there was one. */
  readonly techCause: number | undefined;
  readonly answered: boolean;
}

/**
 * The `reason_code` of a hang-up. For a caller that was not answered chan_pjsip makes the SIP status of it: 17 486,
 * 1 404, 21 403, 28 484, 34 503, 19 and 20 480, all others 603. It knows no 41, so that goes as 38 (500).
 */
export function reasonCode(cause: Cause): string {
  return String(cause === 'temporary-failure' ? 38 : causes[cause].q850);
}

/** Why a leg ended. `asked` is the cause of our own hang-up, which the switch gives back as a number several share. */
export function causeOfEnd(end: SwitchEnd, asked: Cause | undefined): Cause {
  if (asked !== undefined && (end.cause === Number(reasonCode(asked)) || end.cause === 0)) return asked;
  // A caller's CANCEL is reported as 127, and a BYE without a Reason header as 0.
  if (!end.answered && end.techCause === 487) return 'canceled';
  if (end.cause === 0 && end.answered) return 'normal';
  return causeOfQ850(end.cause);
}
