/** Who takes part in the model of queues: callers with what rings for them, and agents. */
import type { Offer, Place, Service, Status } from '../../control-plane/core/queue/desk.ts';
import type { SceneAgent, SceneCall } from './desk-scene.ts';

export interface Ring {
  readonly offer: Offer;
  readonly visit: number;
  readonly state: 'rings' | 'accepted';
}

export interface Caller {
  place: Place;
  state: 'waiting' | 'talking' | 'gone';
  readonly scene: SceneCall;
  /** When the number of a callback was called last, and how often. */
  calledAt: number | null;
  tries: number;
  bridgeFails: boolean;
  rings: Map<string, Ring>;
  service: Service | null;
}

export interface Worker {
  readonly scene: SceneAgent;
  status: Status;
  statusAt: number;
  devices: readonly string[];
  devicesAt: number;
  calls: string[];
  answered: number;
}

export function phoneOf({ scene: { id } }: Worker): string {
  return `${id}-phone`;
}
