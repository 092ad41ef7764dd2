/**
 * Loaded into a controller before all else, it makes one that shares nothing: without lease, owners and the journal in
 * Redis. All else is the product's. Only to see what these cost.
 */
import { registerHooks } from 'node:module';

const replaced: Readonly<Record<string, string>> = {
  'store/redis/ownership.ts': 'export const redisOwnership = () => undefined;',
  'store/redis/live-journals.ts': 'export const redisJournals = () => ({ append() {}, close() {}, read: async () => [], takeUp: async () => [], letGo() {}, list: async () => [], flush: async () => {}, stop() {} });',
};

registerHooks({
  load: (url, context, next) => {
    const source = Object.entries(replaced).find(([path]) => url.endsWith(`/control-plane/${path}`))?.[1];
    return source === undefined ? next(url, context) : { format: 'module', source, shortCircuit: true };
  },
});
