import type { Offer } from '../../core/call/events.ts';
import { callerText } from '../caller-text.ts';
import { phoneVariable } from './variables.ts';

/** How the dialplan offers a caller's call; `headers` of its event, or of the channel. */
export function offerOf(headers: (name: string) => string | undefined): Pick<Offer, 'dialled' | 'origin' | 'phone' | 'caller'> {
  const of = (variable: string): string => headers(`variable_${variable}`) ?? '';
  const phone = of(phoneVariable);
  const isPhone = of('fd_origin') === 'phone';
  const number = callerText(utf8(headers('Caller-Orig-Caller-ID-Number')), 40);
  const name = callerText(utf8(headers('Caller-Orig-Caller-ID-Name')), 80);
  return {
    dialled: of('fd_dialled'),
    origin: isPhone ? 'phone' : 'trunk',
    ...(isPhone && phone !== '' ? { phone } : {}),
    caller: isPhone
      // The directory's word for who it is, whatever its From says.
      ? { number: callerText(of('effective_caller_id_number'), 40), name: callerText(of('effective_caller_id_name'), 80) }
      // A name that the switch takes for dangerous is in no variable; one that nobody gave is the number.
      : { number, name: name === number ? '' : name },
  };
}

/** Without what was no UTF-8, for which the client has U+FFFD. */
function utf8(text = ''): string {
  return text.replaceAll('\ufffd', '');
}
