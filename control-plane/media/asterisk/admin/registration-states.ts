/**
 * Whether our registrations stand at carriers. ARI does not say, so it is read from the switch's metrics (res_prometheus,
 * docs.asterisk.org, "Prometheus"), which are served beside ARI for the same user and password (asterisk/prometheus.conf).
 */
const metric = 'asterisk_pjsip_outbound_registration_status';
const states = { 0: 'unregistered', 1: 'registered', 2: 'rejected' } as const;
const answerWithinMs = 3000;

export type RegistrationState = (typeof states)[keyof typeof states];

/** By client URI; empty when the switch has no metrics. Rejects when it cannot be asked. */
export async function registrationStates(switchUrl: string): Promise<ReadonlyMap<string, RegistrationState>> {
  const url = new URL(switchUrl);
  const authorization = `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString('base64')}`;
  const response = await fetch(`${url.origin}/metrics`, { headers: { authorization }, signal: AbortSignal.timeout(answerWithinMs) });
  return readRegistrationStates(response.ok ? await response.text() : '');
}

/** From the text of Prometheus's exposition format. */
function readRegistrationStates(text: string): ReadonlyMap<string, RegistrationState> {
  const found = new Map<string, RegistrationState>();
  for (const [, name, value] of text.matchAll(new RegExp(`^${metric}\\{[^}]*username="([^"]*)"[^}]*\\} ([012])`, 'gm'))) {
    if (name === undefined) continue;
    // A removed registration leaves its last value behind, under the name of the one that took its place.
    const state = states[Number(value) as keyof typeof states];
    if (state !== 'unregistered' || !found.has(name)) found.set(name, state);
  }
  return found;
}
