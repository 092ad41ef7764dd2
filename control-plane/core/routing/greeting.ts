/**
 * Whose greeting a caller hears who is to leave a message (V1). A call that rang the phones of one user and nobody
 * else’s was for that person: theirs. Every other call, one that rang nobody too, hears the number’s; where it has
 * none the business’s; else what the switch says by itself. One that cannot be played yet is passed over.
 */
import type { Account, CallFacts, Media, Message, TrackingNumber, UserId } from './config.ts';
import { standardGreeting } from './config.ts';
import { indexOf } from './index-of.ts';
import type { Reason } from './plan.ts';
import { messageMedia } from './ring-attempts.ts';

/** The one user whom a call was for, by the users of all phones that it rang. */
export function onlyUser(rung: readonly { readonly user: UserId }[]): UserId | undefined {
  const [first] = rung;
  // a forwarding number that is nobody's own has no user
  return first !== undefined && first.user !== '' && rung.every(({ user }) => user === first.user) ? first.user : undefined;
}

interface Greeting {
  readonly message: Message | undefined;
  readonly whose: string;
}

export function greetingMedia(account: Account, number: TrackingNumber, rung: readonly { readonly user: UserId }[], facts: CallFacts, reasons: Reason[]): Media {
  const only = onlyUser(rung);
  const person = only === undefined ? undefined : indexOf(account).users.get(only);
  const greetings: readonly Greeting[] = [
    { message: person?.greeting, whose: `${person?.name ?? ''}’s own: the call rings nobody else` },
    { message: number.voicemail?.greeting, whose: 'the number’s' },
    { message: account.greeting, whose: 'the business’s: the number has none' },
  ];
  const others = account.users.filter((user) => user !== person && user.greeting !== undefined && rung.some((one) => one.user === user.id));
  if (others.length > 0) reasons.push({ subject: 'greeting', taken: false, why: `${others.map((user) => user.name).join(', ')}: their own is for calls that ring nobody else` });
  for (const { message, whose } of greetings) {
    if (message === undefined) continue;
    const media = messageMedia(message, facts);
    reasons.push({ subject: 'greeting', taken: media !== undefined, why: media === undefined ? `${whose}; its audio is not ready` : whose });
    if (media !== undefined) return media;
  }
  return standardGreeting;
}
