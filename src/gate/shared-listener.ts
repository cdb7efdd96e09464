/** Listeners that are one and the same for all who emit. */

/** Thousands who wait are to have none each. */
export function sharedListener<Emitter>(
  listener: (emitter: Emitter) => void,
): (this: Emitter) => void {
  return function () {
    listener(this)
  }
}

/** Hears of what concerns nobody. */
export function nobody(): void {}
