/**
 * What one plan file says, validated: the account that routing reads, and what the switch needs beside it.
 * Durations are milliseconds, numbers E.164.
 */
import type { Account, E164, TrunkId } from '../../core/routing/config.ts';

export interface PlanConfig {
  /** One per file, in the order of the files. */
  readonly clinics: readonly ClinicConfig[];
  /** Settings that are accepted but will disappoint, each in a sentence. */
  readonly warnings: readonly string[];
}

export interface ClinicConfig {
  readonly account: Account;
  /** IANA name. */
  readonly timezone: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** In the order in which they are tried. */
  readonly trunks: readonly TrunkConfig[];
  readonly phones: readonly PhoneConfig[];
  readonly emergency: EmergencyConfig | null;
  /** Rung by the switch itself when no controller answers, by tracking number. */
  readonly failsafe: ReadonlyMap<E164, E164>;
}

export interface TrunkConfig {
  readonly id: TrunkId;
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp';
  readonly username: string | null;
  readonly password: string | null;
  readonly codecs: readonly string[];
  /** Shown where a call has no better one. */
  readonly callerId: E164 | null;
}

/** A desk phone or softphone that registers with the switch. */
export interface PhoneConfig {
  /** Also the id of its device. */
  readonly extension: string;
  readonly user: string;
  readonly label: string;
  /** Null: one is made and kept in the data directory (device-secrets.ts). */
  readonly password: string | null;
}

export interface EmergencyConfig {
  /** What the front desk is told: "2nd floor, room 204". */
  readonly location: string;
  /** The street address registered with the carrier. */
  readonly address: string;
  readonly callerId: E164;
  readonly trunks: readonly TrunkId[];
  /** E-mail addresses of those who must know at once. */
  readonly notify: readonly string[];
}
