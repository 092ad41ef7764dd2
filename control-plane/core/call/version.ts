/**
 * The version of what is written of a call: its journal, and its marks on the switch. It is raised when an older build
 * could not go on with what a newer one writes; what has no version is of the first. While several controllers are
 * upgraded one after the other, two builds share the calls of a switch.
 */
export const stateVersion = 1;
