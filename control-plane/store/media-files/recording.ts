/** What is known of a recording; it lies encrypted with the audio. */
import { z } from 'zod';

export const recordingSchema = z.object({
  recordingId: z.string(),
  kind: z.enum(['call', 'voicemail']),
  account: z.string(),
  callId: z.string(),
  /** The clinic's number that was called. */
  number: z.string(),
  /** The other party, as the network gave it. */
  caller: z.string(),
  /** When the recording began. */
  at: z.number(),
  durationMs: z.number(),
  /** 2: the caller left, the callee right. */
  channels: z.union([z.literal(1), z.literal(2)]),
  /** Of the WAV file before encryption. */
  bytes: z.number(),
  /** Of the WAV file, hex. */
  sha256: z.string(),
});

export type Recording = Readonly<z.output<typeof recordingSchema>>;
