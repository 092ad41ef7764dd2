/** Standard Webhooks, https://www.standardwebhooks.com: symmetric signatures, version v1. */
import { createHmac } from 'node:crypto';
import type { EpochMs } from '../../core/time.ts';

export interface SignedHeaders {
  readonly 'webhook-id': string;
  /** Seconds. */
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
}

/** `secret`: `whsec_` and base64. The id is the same in each attempt; the time is that of the attempt. */
export function signedHeaders(secret: string, id: string, at: EpochMs, body: string): SignedHeaders {
  const timestamp = String(Math.floor(at / 1000));
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
