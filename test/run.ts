/**
 * `npm test`: every test, and a closing line that counts them. Arguments go to vitest (`npm test -- test/core`).
 */
import { startVitest } from 'vitest/node';

const began = performance.now();
const vitest = await startVitest('test', process.argv.slice(2), { run: true, watch: false, reporters: ['default'] });
const files = vitest.state.getTestModules();
let passed = 0;
let failed = 0;
let skipped = 0;
for (const file of files) {
  if (file.errors().length > 0) failed += 1;
  for (const test of file.children.allTests()) {
    const { state } = test.result();
    if (state === 'passed') passed += 1;
    else if (state === 'skipped') skipped += 1;
    else failed += 1;
  }
}
failed += vitest.state.getUnhandledErrors().length;
await vitest.close();
process.stdout.write(`${files.length} files in ${Math.round((performance.now() - began) / 1000)} s\n`);
process.stdout.write(`${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}\n`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
