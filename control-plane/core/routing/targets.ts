/** Where a route may lead next. Every field of configuration that leads on names one of these. */
import type { QueueId } from '../queue/config.ts';
import type { Message, UserId } from './config.ts';

export type ReceivingNumberId = string;
export type RingGroupId = string;
export type MenuId = string;
export type RouterId = string;

export type Target =
  | { readonly to: 'receiving-number'; readonly id: ReceivingNumberId }
  | { readonly to: 'ring-group'; readonly id: RingGroupId }
  | { readonly to: 'menu'; readonly id: MenuId }
  | { readonly to: 'router'; readonly id: RouterId }
  /** With a priority of its own, or the queue's. */
  | { readonly to: 'queue'; readonly id: QueueId; readonly priority?: number }
  /** D10: the user's devices in their order, then their forwarding number with call connect. */
  | { readonly to: 'user'; readonly id: UserId }
  /** Of the number that was dialled. */
  | { readonly to: 'voicemail' }
  /** The caller hears it, and the call is hung up. */
  | { readonly to: 'message'; readonly message: Message }
  | { readonly to: 'hang-up' }
  /** What the account's precedence gives for the number that was dialled. */
  | { readonly to: 'precedence' };

/** Those that name an object of the account. */
export type NamedTarget = Extract<Target, { id: string }>;
