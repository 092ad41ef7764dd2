import { describe, expect, it } from 'vitest';
import { textsOfCaller, textsToPrepare, unknownPlaceholders, whisperAudio, withheldText } from '../../control-plane/core/routing/whisper.ts';
import { callFrom, clinic, mainNumber, silent } from './routing-fixture.ts';

const said = (whisper: string, facts = callFrom()) => whisperAudio(clinic(), { ...mainNumber, whisper }, undefined, facts).media;
const digits = Array.from('3125550177', (digit) => `sound:digits/${digit}`);

describe('a whisper', () => {
  it('is one text where it is the same for every call', () => {
    expect(said('{practice}, {number}.')).toEqual(['file:Riverside Dental, Main line.']);
  });

  it('says the caller’s number digit by digit, without the country code where people leave it out', () => {
    expect(said('Call from {callerNumber} for {number}')).toEqual(['file:Call from', ...digits, 'file:for Main line']);
    expect(said('{callerNumber}', callFrom({ callerNumber: '+441632' }))).toEqual(Array.from('441632', (d) => `sound:digits/${d}`));
  });

  it('says the caller’s name when it was spoken before, and the number until then', () => {
    expect(said('From {caller}.')).toEqual(['file:From', 'file:Jo Ray']);
    const nameNotReady = callFrom({ whisperMedia: (text) => (text === 'Jo Ray' ? undefined : `file:${text}`) });
    expect(said('From {caller}.', nameNotReady)).toEqual(['file:From', ...digits]);
  });

  it('says that a number was withheld', () => {
    expect(said('From {caller}', callFrom({ callerName: '', callerNumber: 'anonymous' }))).toEqual(['file:From', `file:${withheldText}`]);
  });

  it('is skipped whole while a fixed part is not ready', () => {
    expect(said('From {caller}', callFrom(silent))).toEqual([]);
  });

  it('never speaks more of a caller’s name than 60 characters, nor its control characters', () => {
    const [, name = ''] = said('From {caller}', callFrom({ callerName: `A\r\n\u0007${'x'.repeat(4000)}` }));
    expect(name).toBe(`file:A ${'x'.repeat(58)}`);
  });

  it('knows which placeholders mean nothing', () => {
    expect(unknownPlaceholders('{practice} {callr} {}')).toEqual(['callr', '']);
  });
});

describe('texts spoken before the first call', () => {
  it('are exactly those that a call then asks for', () => {
    const account = clinic({ whisper: '{practice}: {caller} on {number}', announcementText: 'Hello' });
    expect(textsToPrepare(account)).toEqual([
      'Hello', 'This call was taken by someone else.', 'Press any key to take this call.', 'Riverside Dental:', 'on Main line', withheldText,
    ]);
  });

  it('are joined by a caller’s name only where a whisper says it', () => {
    expect(textsOfCaller({ ...mainNumber, whisper: 'From {caller}' }, ' Jo ')).toEqual(['Jo']);
    expect(textsOfCaller(mainNumber, 'Jo')).toEqual([]);
  });
});
