/** Skips the test that runs now, and says why. Outside of a test it is an error. */
export async function skipHere(why: string): Promise<never> {
  // benches, which are no tests, read what imports this
  const { TestRunner } = await import('vitest');
  const test = TestRunner.getCurrentTest();
  if (test === undefined) throw new Error(why);
  return test.context.skip(why);
}
