/** Seconds after which a kept key set that no configuration renews is dropped. Longer than any set may serve. */
export const KEY_SET_DROPPED_AFTER = 30 * 86_400
