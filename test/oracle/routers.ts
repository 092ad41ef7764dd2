/** Where a router leads a call. It shares no code with control-plane, and must not. */
import type { Goes, PaperCall, PaperMode, PaperPlace, PaperQuestion, PaperRouter, PaperShare } from './clinic.ts';

export interface AtRouter extends PaperCall {
  readonly open: boolean;
  readonly mode: PaperMode;
  readonly draw: number;
}

export function routedBy({ geo = [], rules = [], weighted = [], default: otherwise }: PaperRouter, call: AtRouter): Goes {
  const taken = nearest(geo, call) ?? rules.find(({ when }) => holds(when, call)) ?? drawn(weighted, call);
  return taken?.target ?? otherwise;
}

/** An area code is nearer than a region, and that than a country. Who shows no number is nowhere. */
function nearest(places: readonly PaperPlace[], { caller, place: { country = '-', region = '-', areaCode = '-' } }: AtRouter): PaperPlace | undefined {
  if (caller === '') return undefined;
  return places.find((one) => one.areaCodes?.includes(areaCode) === true && (one.countries ?? [country]).includes(country))
    ?? places.find((one) => one.regions?.includes(region) === true)
    ?? places.find((one) => one.areaCodes === undefined && one.countries?.includes(country) === true);
}

function holds(question: PaperQuestion, call: AtRouter): boolean {
  if ('not' in question) return !holds(question.not, call);
  if ('all' in question) return question.all.every((part) => holds(part, call));
  if ('any' in question) return question.any.some((part) => holds(part, call));
  if (question.field === 'caller.number') return call.caller === question.is;
  if (question.field === 'caller.anonymous') return (call.caller === '') === question.is;
  if (question.field === 'caller.areaCode') return call.caller !== '' && question.oneOf.includes(call.place.areaCode ?? '-');
  if (question.field === 'schedule.day') return call.open === (question.is === 'open');
  return call.mode === question.is;
}

/** A lottery of as many tickets as all shares weigh that are on. */
function drawn(shares: readonly PaperShare[], { at, open, draw }: AtRouter): PaperShare | undefined {
  const on = shares.filter(({ from, until, schedule }) => (from === undefined || Date.parse(from) <= at) && (until === undefined || at < Date.parse(until)) && (schedule === undefined || open));
  const tickets = on.flatMap((share) => Array.from({ length: share.weight }, () => share));
  return tickets[Math.floor(draw * tickets.length)];
}
