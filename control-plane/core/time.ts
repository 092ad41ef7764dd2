/** Times in the core: epoch milliseconds (`…At`) and durations in milliseconds (`…Ms`). The core reads no clock. */
export type EpochMs = number;
export type Ms = number;

export const second: Ms = 1000;
export const minute: Ms = 60 * second;
export const hour: Ms = 60 * minute;
