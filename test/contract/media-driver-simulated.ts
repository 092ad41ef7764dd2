/** The simulated switch as a switch under contract, alone or beside another: time is virtual, and waiting is stepping. */
import type { CallId } from '../../control-plane/core/ids.ts';
import { healthy } from '../../control-plane/media/simulated/chance.ts';
import { composeDrivers, type Side } from '../../control-plane/media/side-by-side/compose-drivers.ts';
import { createSimulatedSwitch } from '../../control-plane/media/simulated/switch.ts';
import { createVirtualClock, settled } from '../support/virtual-clock.ts';
import type { Caller, ContractFixture, FixtureFactory, Heard, Phone } from './media-driver-fixture.ts';

type Place = 'alone' | 'first' | 'second';

async function open(place: Place): Promise<ContractFixture> {
  const clock = createVirtualClock();
  let cutBeforeDial = false;
  let speaks = false;
  const sim = createSimulatedSwitch({
    clock,
    chance: {
      ...healthy,
      speechMs: () => (speaks ? Infinity : 0),
      delayMs(message) {
        if (message !== 'dial' || !cutBeforeDial) return 1;
        cutBeforeDial = false;
        clock.setTimer(clock.now(), cutAll);
        return 2;
      },
    },
  });
  const other = createSimulatedSwitch({ clock, name: 'other' });
  const cutAll = (): void => { for (const each of [sim, other]) each.cut('one'); };
  // By what they are told of calls alone: neither names its own.
  const sides: readonly Side[] = [sim, other].map((each, i) => ({ name: `switch ${i}`, driver: each.driver('one'), names: () => false }));
  const driver = place === 'alone' ? sim.driver('one') : composeDrivers(place === 'first' ? sides : sides.toReversed(), { log: { warn: () => undefined } });
  const heard: Heard[] = [];
  sim.breakMedia('sound:there-is-none');
  sim.phone('absent', null);
  await driver.start({
    onOffer: (offer) => heard.push({ kind: 'offer', callId: offer.callId, offer }),
    onLegEvent: (callId, event) => heard.push({ kind: 'event', callId, event }),
    onLink: (state) => heard.push({ kind: 'link', state }),
  });

  const until: ContractFixture['until'] = async (what, look) => {
    const deadline = clock.now() + 30_000;
    for (;;) {
      await settled();
      const found = look();
      if (found !== undefined) return found;
      if (!clock.step(deadline)) throw new Error(`Waited 30 s for ${what}`);
    }
  };

  const asCaller = (callId: CallId): Caller => ({
    press: async (digit) => sim.press(callId, digit), hangUp: async () => sim.hangUp(callId), speak: () => { speaks = true; }, hearsRinging: () => sim.leg(callId)?.hearsRinging === true,
  });

  function phone(name: string): Phone {
    let last = '';
    const leg = (): string => (last = sim.legs().find((one) => one.party === name && one.role === 'callee')?.id ?? last);
    return {
      target: { kind: 'device', device: name },
      wasCalled: () => sim.acts().some((act) => act.party === name && act.did === 'ring'),
      waitRinging: () => until(`${name} to ring`, () => (sim.leg(leg())?.state === 'ringing' ? null : undefined)).then(() => {}),
      answer: async () => sim.answer(leg()),
      busy: async () => sim.reject(leg(), 'busy'),
      decline: async () => sim.reject(leg(), 'declined'),
      press: async (digit) => sim.press(leg(), digit),
      hold: async () => sim.hold(leg()),
      unhold: async () => sim.unhold(leg()),
      call: async (to) => asCaller(sim.call({ from: name, to, phone: name })),
      transfer: async (to, consulted) => sim.refer(leg(), to, consulted === undefined ? 'blind' : 'attended'),
      transferred() {
        const told = sim.notices().findLast(({ party, saw }) => party === name && (saw === 'transferred' || saw === 'not-transferred'));
        return told === undefined ? null : told.saw === 'transferred' ? 'yes' : 'no';
      },
      hangUp: async () => sim.hangUp(leg()),
      keys: () => sim.keysHeard(leg()),
      ended: () => {
        const saw = sim.notices().findLast((notice) => notice.party === name)?.saw;
        return saw === 'cancel' || saw === 'completed-elsewhere' || saw === 'bye' ? saw : null;
      },
    };
  }

  return {
    driver, instance: 'one', heard, until, phone,
    audio: { short: 'tone:accept', long: 'sound:demo-instruct', missing: 'sound:there-is-none' },
    incomingCall: async () => asCaller(sim.call({ from: '+15550100', to: '+15550001', name: 'Ann' })),
    async cutLink(when = 'at once') {
      if (when === 'at once') cutAll();
      else cutBeforeDial = true;
    },
    restoreLink: async () => { for (const each of [sim, other]) each.restore('one'); },
    now: () => clock.now(),
    pass: (ms) => clock.pass(ms),
    leftovers: () => Promise.resolve([sim, other].flatMap((each) => Object.values(each.leftovers()).flat() as string[])),
    close: () => driver.stop(),
  };
}

export const simulated: FixtureFactory = { name: 'simulated', open: () => open('alone'), timeoutMs: 5000 };
export const besideAnother: readonly FixtureFactory[] = (['first', 'second'] as const).map((place) => ({ name: `simulated, ${place} of two,`, open: () => open(place), timeoutMs: 5000 }));
