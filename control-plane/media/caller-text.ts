/** What a carrier or phone may put into a name: any bytes at any length. Shown, logged and sent on, so cut and cleaned. */
const control = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

export function callerText(text: string, maxLength: number): string {
  const clean = text.slice(0, 4 * maxLength).toWellFormed().replace(control, ' ').trim();
  return Array.from(clean).slice(0, maxLength).join('');
}
