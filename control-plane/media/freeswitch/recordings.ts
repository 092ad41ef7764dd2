/** Recordings as the switch keeps them: a file each, named by the recording, or by it and the side whose voice it has. */
import type { RecordingId } from '../../core/ids.ts';

export type Side = 'caller' | 'callee';

const fileName = /([^/]+--[rc]\d+)(?:-(caller|callee))?\.wav$/;

export function recordingFile(folder: string, recordingId: RecordingId, side?: Side): string {
  return `${folder}/${recordingId}${side === undefined ? '' : `-${side}`}.wav`;
}

export function recordingOfFile(path: string): { readonly recordingId: RecordingId; readonly side: Side | undefined } | undefined {
  const [, recordingId, side] = fileName.exec(path) ?? [];
  return recordingId === undefined ? undefined : { recordingId, side: side === 'caller' || side === 'callee' ? side : undefined };
}
