/** For what happens again and again, and is told of the less often the longer it goes on: the 1st time, the 2nd, 4th, 8th. */
export function isPowerOfTwo(count: number): boolean {
  return (count & (count - 1)) === 0;
}
