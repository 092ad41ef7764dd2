import { describe, expect, it } from 'vitest';
import { compile, compileFor } from '../../control-plane/core/routing/compile.ts';
import { explain, rememberTexts, withoutPlaces } from '../../control-plane/core/routing/explain.ts';
import { explainedSteps } from '../../control-plane/core/routing/explained-steps.ts';
import { callFrom, clinic } from './routing-fixture.ts';
import { desk, menu, mobile, planOfMenus, walkOf } from './support/plans.ts';

describe('explain', () => {
  it('tells the steps in order, who is rung for how long, and why', () => {
    const text = explain(compile(clinic({ announcementText: 'Hello', whisper: 'For {practice}' }), callFrom()));
    const inOrder = [
      '+12025550110 “Main line” of Riverside Dental',
      '1. announcement', 'done → ring',
      '2. ring', 'rings at once, for 30 s in all', '- ana, desk: extension 101, 30 s, shows Jo Ray +13125550177', 'answering accepts',
      '- ben, mobile: +12025550121 over t1, then t2, 30 s', 'any key within 20 s accepts', 'no answer → voicemail',
      '3. voicemail', '4. hang-up', 'cause normal',
      'Why', '+ announcement: the number has an announcement', '+ call connect: it asks external legs: 1 of 3 must press any key',
    ];
    let from = 0;
    for (const part of inOrder) {
      const at = text.indexOf(part, from);
      expect({ part, found: at >= from }).toEqual({ part, found: true });
      from = at + part.length;
    }
  });

  it('tells where each key of a menu leads, and each step once, though menus lead back', () => {
    const text = explain(planOfMenus({
      day: menu('day', { 1: 'ring', 2: 'night', '*': 'day' }, { tries: 3, extensions: { firstDigits: '12', shortest: 3, longest: 4 } }),
      night: menu('night', { 1: 'ring', 9: 'day' }, { tries: 1, on: { noKey: 'hang-up', invalid: 'hang-up', noAnswer: 'voicemail' } }),
    }));
    expect(text.split('\n').filter((line) => /^ {2}\d/.test(line))).toEqual(['  1. day', '  2. night', '  3. ring', '  4. voicemail', '  5. hang-up']);
    for (const line of [
      'the caller hears file:day, which a key stops, and has 5 s after it', 'key 1 → ring', 'key 2 → night', 'key * → day',
      'an extension, 3 to 4 digits beginning with 1 2, no more than 2 s between its keys: rings it', '    no answer there → voicemail',
      'other keys, hears file:invalid: asked again, at most 3 times in all; then → hang-up', 'no key: asked again, at most 3 times in all; then → voicemail',
      'key 9 → day', 'other keys → hang-up', 'no key → hang-up',
    ]) expect(text.split('\n')).toContain(`       ${line}`);
  });

  it.each([
    ['sequential', 'as listed'],
    ['round-robin', 'from the one whose turn it is in front'],
    ['least-connected', 'fewest live calls first; who talks is skipped while another does not'],
  ] as const)('tells of a group that is %s who rings together, how much later, and which extension is dialled', (pattern, how) => {
    const lines = explain(walkOf(pattern, [desk(1), mobile({ user: 'u1', delayMs: 5000 }), desk(2, { dialExtension: { digits: '2w04', delayMs: 1000 } })])).split('\n').map((line) => line.trim());
    const from = lines.indexOf(`rings one after the other, ${how}, for 25 s in all:`);
    expect(lines.slice(from + 1, from + 9)).toEqual([
      'u1:', '- u1, desk 1: extension 101, 20 s, shows Jo Ray +13125550177', 'answering accepts',
      '- u1, mobile: +12025550121 over t1, then t2, 20 s from 5 s on, shows Jo Ray +13125550177', 'hears file:who + file:press-1; key 1 within 10 s accepts',
      'u2:', '- u2, desk 2: extension 102, 20 s, shows Jo Ray +13125550177', 'answered, the extension 2w04 is dialled after 1 s',
    ]);
  });

  it('tells what is heard in its words, where they are known', () => {
    const texts = rememberTexts((text) => `file:/data/speech/${text.length}`);
    const plan = compile(clinic({ announcementText: 'Open Mon/Fri, 8 to 5.', whisper: 'For {practice}' }), { ...callFrom(), whisperMedia: texts.whisperMedia });
    expect(explain(plan, texts.words)).toContain('the caller hears “Open Mon/Fri, 8 to 5.”\n');
    expect(explain(plan, texts.words)).toContain('answering accepts; hears “For Riverside Dental” before the caller');
    expect(explain(plan), 'where they are not').toContain('the caller hears file:21\n');
  });

  it('shows a plan without where its audio lies', () => {
    const texts = rememberTexts((text) => `file:/data/speech/${text.length}`);
    const plan = compile(clinic({ announcementText: 'Open Mon/Fri, 8 to 5.', whisperFile: 'file:/data/audio/9f2c' }), { ...callFrom(), whisperMedia: texts.whisperMedia });
    expect(JSON.stringify(plan)).toContain('/data/');
    const shown = withoutPlaces(plan, texts.words);
    expect(shown.steps['announcement']).toMatchObject({ media: ['file:“Open Mon/Fri, 8 to 5.”'] });
    expect(JSON.stringify(shown)).toContain('"file:9f2c"');
    expect(JSON.stringify(shown)).not.toContain('/data/');
    expect({ ...shown, steps: {} }).toEqual({ ...plan, steps: {} });
  });

  it('lists of each phone how much later it rings, the extension that is dialled and whether it is recorded', () => {
    const [ring] = explainedSteps(walkOf('sequential', [mobile({ delayMs: 5000, recording: { announced: true } }), desk(2, { dialExtension: { digits: '2w04', delayMs: 1000 } })]));
    expect(ring?.legs.map(({ delayMs, dialExtension, recorded }) => ({ delayMs, dialExtension, recorded }))).toEqual([
      { delayMs: 5000, dialExtension: null, recorded: true }, { delayMs: 0, dialExtension: { digits: '2w04', delayMs: 1000 }, recorded: false },
    ]);
  });

  it('marks what was passed over, and why', () => {
    expect(explain(compile(clinic({ ringMs: 3000 }), callFrom()))).toContain('- ring: 3 s is too short to answer');
  });

  it('says that a number is nobody’s', () => {
    expect(explain(compileFor([], callFrom()))).toContain('no number of this system was dialled');
  });

  it('never passes a caller’s control characters to the terminal', () => {
    expect(explain(compile(clinic(), callFrom({ callerName: 'A\u001b[2J\r\nB' })))).toContain('shows A?[2J??B');
  });
});
