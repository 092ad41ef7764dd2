import { describe, expect, it } from 'vitest';
import { compile, compileFor } from '../../control-plane/core/routing/compile.ts';
import { explain } from '../../control-plane/core/routing/explain.ts';
import { callFrom, clinic } from './routing-fixture.ts';

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
