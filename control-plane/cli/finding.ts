/** What `frontdesk doctor` says of one thing. */
export interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'warning' | 'stops calls';
  readonly text: string;
}

export const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
