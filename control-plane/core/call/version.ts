/**
 * The version of what is written of a call: its journal, and its marks on the switch. It is raised when an older build
 * could not go on with what a newer one writes; what has no version is of the first. While several controllers are
 * upgraded one after the other, two builds share the calls of a switch.
 *
 * 2: menus, and steps that are added to a plan; destinations that ring one after the other; extensions that are dialled.
 * 3: codes of the night switch; transfers.
 * 4: queues; callbacks; supervisions.
 * Marks are read by the first as before: it begins a call in a menu anew, and goes without what else they have more; but not
 * those of a call in which somebody has asked for a transfer.
 */
export const stateVersion = 4;
