/** `make`, called once for each object, whose answer is forgotten with it. Of objects that are never changed, only replaced: configuration, plans. */
export function remembered<K extends WeakKey, T extends object | string | number>(make: (of: K) => T): (of: K) => T {
  const known = new WeakMap<K, T>();
  return (of) => {
    const before = known.get(of);
    if (before !== undefined) return before;
    const made = make(of);
    known.set(of, made);
    return made;
  };
}
