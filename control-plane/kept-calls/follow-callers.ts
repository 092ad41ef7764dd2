/** Keeps the memory of who called last: of the records of calls at the start, then of calls here and at other controllers. */
import { callerSeen, type RecentCallers } from '../contacts/recent-callers.ts';
import { madeBy } from '../core/ids.ts';
import type { Controller } from '../runtime/controller.ts';
import type { CallerNews, CallerSeen, CdrStore } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';

interface Following {
  readonly recent: RecentCallers;
  readonly controller: Pick<Controller, 'observe'>;
  readonly news: CallerNews;
  readonly cdrs: Pick<CdrStore, 'callers'>;
  /** Settles when the records can be read. */
  readonly opened: Promise<unknown>;
  readonly log: Log;
}

const pageRows = 2000;
/** Half a million calls, in the background: a site that has more need not read all of them at each start. */
const mostPages = 250;

/** Returns what ends it. */
export function followCallers({ recent, controller, news, cdrs, opened, log }: Following): () => void {
  const ending = new AbortController();
  const past = async function* (): AsyncGenerator<readonly CallerSeen[]> {
    let cursor: string | null = '';
    for (let pages = 0; pages < mostPages && cursor !== null && !ending.signal.aborted; pages++) {
      const page: Awaited<ReturnType<CdrStore['callers']>> = await cdrs.callers({ limit: pageRows, ...(cursor === '' ? {} : { cursor }) });
      yield page.items;
      cursor = page.next;
    }
  };
  opened.then(() => recent.learn(past())).catch((error: unknown) => { log.warn({ error: String(error) }, 'Who called before the start is not known: every caller is taken for one who calls for the first time'); });
  const unlisten = news.listen((seen) => { recent.note(seen); });
  const unobserve = controller.observe({
    onFact: (call, fact) => {
      if (fact.type !== 'CallStarted' || fact.origin !== 'trunk' || madeBy(call.id) !== null) return;
      const seen = callerSeen(call.plan.account.id, fact.caller.number, fact.startedAt);
      if (seen === undefined) return;
      recent.note(seen);
      news.tell(seen);
    },
  });
  return () => {
    ending.abort();
    unlisten();
    unobserve();
  };
}
