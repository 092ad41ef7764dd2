/** A call's journal in its two homes, after another controller had the call. */
import { expect, it } from 'vitest';
import { createJournal } from '../../control-plane/runtime/journal.ts';
import { memoryArchive, memoryJournals } from '../../control-plane/store/memory-journals.ts';
import { openingOf, silent, stepAt } from './sample-call.ts';

it('goes on after what another controller wrote of the call, in both homes, though this one went on as well for a moment', async () => {
  const [live, archive] = [memoryJournals(), memoryArchive()];
  const theirs = [openingOf('c1'), stepAt(1), stepAt(2), stepAt(3)];
  for (const record of [openingOf('c1'), stepAt(1), stepAt(9)]) archive.append('c1', record);
  for (const record of theirs) live.append('c1', record);
  const journal = createJournal(live, archive, silent);
  expect(await journal.recover('c1')).toEqual(theirs);
  journal.append('c1', stepAt(4));
  expect(await live.read('c1')).toEqual([...theirs, stepAt(4)]);
  expect((await archive.read('c1')).slice(-5)).toEqual([...theirs, stepAt(4)]);
  // Redis has lost its last moments: the disk has them.
  live.truncate('c1', 2);
  expect(await journal.recover('c1')).toEqual([...theirs, stepAt(4)]);
  expect(await live.read('c1')).toEqual([...theirs, stepAt(4)]);
});
