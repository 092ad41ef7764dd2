/** What a channel carries of its call, in one channel variable, for a controller that knows nothing else. */
import type { CallId } from '../../core/ids.ts';
import type { CallMark, LegMark } from '../../core/call/mark.ts';
import { stateVersion } from '../../core/call/version.ts';

export const identityVariable = 'FRONTDESK';

/** Set on a leg before its dial: one that is made and not dialled looks the same as one whose phone has not rung yet. */
export const dialledVariable = 'FRONTDESK_DIALLED';

/** Who ends with this leg once both have been in one bridge; read by the dialplan's fd-over. */
export const peerVariable = 'FD_PEER';

/** `app` is the application of the controller that writes it. */
export function identityText(callId: CallId, app: string, mark: CallMark | LegMark): string {
  return JSON.stringify({ callId, app, mark });
}

/** Who wrote the last mark; null where nobody has. */
export function appIn(text: string | undefined): string | null {
  try {
    const value = JSON.parse(text ?? '') as { app?: unknown } | null;
    return typeof value?.app === 'string' ? value.app : null;
  } catch {
    return null;
  }
}

/** Written by a build that marks calls in another way than this one knows. */
export function isNewer(text: string | undefined): boolean {
  try {
    const value = JSON.parse(text ?? '') as { mark?: { v?: unknown } | null } | null;
    return typeof value?.mark?.v === 'number' && value.mark.v > stateVersion;
  } catch {
    return false;
  }
}

/** Null for anything this build did not write. */
export function markIn(text: string | undefined): Record<string, unknown> | null {
  if (text === undefined) return null;
  try {
    const value = JSON.parse(text) as { mark?: unknown } | null;
    const mark = value?.mark;
    return typeof mark === 'object' && mark !== null && 'v' in mark && mark.v === 1 ? { ...mark } : null;
  } catch {
    return null;
  }
}

/**
 * The variable to *read* in order to write one. ARI's own write waits for the channel's thread, and so for the end of
 * its prompt or recording, and with it waits every request behind it on the websocket (tried: five seconds). A read
 * does not wait, and reading the dialplan function SET(name=value) sets. Its value is taken as it is: no expansion.
 */
export function setByReading(name: string, value: string): string {
  return `SET(${name}=${value})`;
}
