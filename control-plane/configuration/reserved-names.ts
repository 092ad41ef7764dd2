/**
 * Names of fields that JavaScript gives every object (`toString`, `valueOf`, `__proto__` …). Something read from
 * outside that brings its own cannot be compared or printed without an exception (ECMA-262 §7.1.1, ToPrimitive),
 * and checks do both before they know that a value is of the wrong type.
 */
const reserved = new Set(Object.getOwnPropertyNames(Object.prototype));

export const reservedName = { message: 'has a name that JavaScript keeps for itself', wayOut: 'Name it otherwise, or remove it.' } as const;

/** The path of every field in it with such a name; what is below one of them is not looked at. Without recursion: `value` may be of any depth. */
export function reservedNamesIn(value: unknown): readonly (readonly (string | number)[])[] {
  const found: (readonly (string | number)[])[] = [];
  const rest: { readonly path: readonly (string | number)[]; readonly one: unknown }[] = [{ path: [], one: value }];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { path, one } = next;
    if (typeof one !== 'object' || one === null) continue;
    const list = Array.isArray(one);
    for (const [name, inner] of Object.entries(one as Record<string, unknown>)) {
      const at = [...path, list ? Number(name) : name];
      if (!list && reserved.has(name)) found.push(at);
      else rest.push({ path: at, one: inner });
    }
  }
  return found;
}
