/** The night switch (M6). */
import { describe, expect, it } from 'vitest';
import { modeAt, type NightSwitch } from '../../control-plane/core/routing/night.ts';

const at = 1000;
const set: NightSwitch = { setting: 'closed', by: 'phone 101', since: 500 };

describe('A night switch', () => {
  it.each<readonly [string, NightSwitch | undefined, ReturnType<typeof modeAt>]>([
    ['that was never set', undefined, { mode: 'normal', why: 'the night switch was never set' }],
    ['that is set', set, { mode: 'closed', why: 'the night switch was set to closed by phone 101' }],
    ['with a note', { ...set, setting: 'emergency', note: 'burst pipe' }, { mode: 'emergency', why: 'the night switch was set to emergency by phone 101: burst pipe' }],
    ['by nobody in particular', { setting: 'closed', since: 500 }, { mode: 'closed', why: 'the night switch was set to closed' }],
    ['for some time', { ...set, until: at + 1 }, { mode: 'closed', why: 'the night switch was set to closed by phone 101', until: at + 1 }],
    ['whose time is over', { ...set, until: at }, { mode: 'normal', why: 'the night switch was set to closed by phone 101, and that time is over' }],
    ['that was set back', { ...set, setting: 'open' }, { mode: 'normal', why: 'the night switch was set to open by phone 101' }],
  ])('%s', (_, night, mode) => {
    expect(modeAt(night, at)).toEqual(mode);
  });
});
