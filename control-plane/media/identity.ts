/** What a leg carries on the switch of its call, for a controller that knows nothing else. */
import type { CallId } from '../core/ids.ts';
import type { CallMark, LegMark } from '../core/call/mark.ts';
import { stateVersion } from '../core/call/version.ts';

/** What a leg's identity says; nothing where there is none. */
export interface Identity {
  /** The call it is of, which may be another than that of its id. */
  readonly callId: CallId | null;
  /** The controller that wrote it, as it is named on the switch. */
  readonly app: string | null;
  /** Null for anything that this build cannot read. */
  readonly mark: CallMark | LegMark | null;
  /** Written by a build that marks calls in another way than this one knows. */
  readonly newer: boolean;
}

/** JSON, without line breaks and tabs. */
export function identityText(callId: CallId, app: string, mark: CallMark | LegMark): string {
  return JSON.stringify({ callId, app, mark });
}

export function readIdentity(text: string): Identity {
  const { callId, app, mark } = parsed(text);
  const version = typeof mark === 'object' && mark !== null && 'v' in mark && typeof mark.v === 'number' ? mark.v : null;
  return {
    callId: typeof callId === 'string' ? callId : null, app: typeof app === 'string' ? app : null, newer: version !== null && version > stateVersion,
    mark: version !== null && version <= stateVersion ? (mark as CallMark | LegMark) : null,
  };
}

function parsed(text: string): { readonly callId?: unknown; readonly app?: unknown; readonly mark?: unknown } {
  try {
    return (JSON.parse(text) as object | null) ?? {};
  } catch {
    return {};
  }
}
