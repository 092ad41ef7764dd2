/** The class of the library, which is CommonJS that Node finds no names in, typed as if it had no default. */
// oxlint-disable-next-line import/default
import wavefile from 'wavefile';

// oxlint-disable-next-line import/no-named-as-default-member
export const { WaveFile } = wavefile;
