import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMailer } from '../../control-plane/notify/mail.ts';
import { noticeOf, openNotices } from '../../control-plane/notify/notices.ts';
import type { SwitchNote } from '../../control-plane/media/switch-setup.ts';
import { startMailServer } from '../support/mail-server.ts';

const call: SwitchNote = { kind: 'emergency', at: Date.UTC(2026, 10, 21, 10), from: '101', dialled: '911', outcome: 'ANSWER', trunk: 'carrier' };
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const who = ['desk@clinic.example', 'owner@clinic.example'];

describe('a notice of an emergency call', () => {
  let dir = '';
  beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'frontdesk-notices-')); });
  afterEach(() => { rmSync(dir, { recursive: true, force: true }); });

  it('reaches everyone the plan names by e-mail, and says who called from where', async () => {
    const server = await startMailServer();
    const mailer = createMailer(server.url, 'frontdesk@clinic.example');
    const notices = await openNotices(dir, log, mailer);
    await notices.give(noticeOf(call, who, '100 River Street, reception'));
    await notices.send();
    mailer.close();
    await server.stop();
    expect(server.mails).toHaveLength(1);
    expect(server.mails[0]?.to).toEqual(who);
    const text = server.mails[0]?.text.replaceAll(/=?\r\n/g, ' ').replaceAll(/\s+/g, ' ');
    expect(text).toContain('911 was dialled from extension 101 at 100 River Street, reception; it was answered over carrier.');
    expect(text).toContain('Subject: Emergency call');
    expect(notices.unsent()).toBe(0);
  });

  it('waits for a mail server that is away, over a restart too, and is then sent once', async () => {
    const before = await startMailServer();
    await before.stop();
    const mailer = createMailer(before.url);
    const first = await openNotices(dir, log, mailer);
    await first.give(noticeOf(call, who, 'reception'));
    await first.send();
    expect(first.unsent()).toBe(1);

    const server = await startMailServer(before.port);
    const second = await openNotices(dir, log, mailer);
    expect(second.unsent()).toBe(1);
    await second.send();
    await second.send();
    const third = await openNotices(dir, log, mailer);
    mailer.close();
    await server.stop();
    expect(server.mails).toHaveLength(1);
    expect([second.unsent(), third.unsent()]).toEqual([0, 0]);
  });

  it('is kept in notices.ndjson where no mail server is given', async () => {
    const notices = await openNotices(dir, log, undefined);
    await notices.give(noticeOf({ ...call, outcome: 'STARTED' }, who, 'reception'));
    await notices.send();
    const kept = readFileSync(join(dir, 'notices.ndjson'), 'utf8').trim().split('\n');
    expect(kept.map((line) => JSON.parse(line) as unknown)).toEqual([
      { at: '2026-11-21T10:00:00.000Z', kind: 'emergency', sentence: 'Emergency call: 911 was dialled from extension 101 at reception; it is under way.', notify: who },
    ]);
    expect(notices.unsent()).toBe(0);
  });
});
