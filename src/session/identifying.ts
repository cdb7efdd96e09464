/** The names of one client: asked once, for as long as a reason may take. */
import type { Clock, Ms } from '../core/clock.ts'
import type { Eventual } from '../core/eventual.ts'
import type { Ip } from '../core/ip.ts'
import type { Leaving } from '../core/leaving.ts'
import type { Dns } from '../dns/resolver.ts'
import { type Identity, identify } from '../dns/reverse.ts'
import type { Log } from '../observe/log.ts'

export interface IdentifyingParts {
  readonly dns: Dns
  readonly clock: Clock
  readonly log: Log
  readonly timeLimitMs: Ms
}

export class Identifying {
  #identity: Identity | null = null
  #asked: Eventual<Identity> | null = null

  /** As far as they are known by now. */
  get identity(): Identity | null {
    return this.#identity
  }

  /**
   * The names, `unavailable` when that takes too long.
   *
   * @throws why the client is gone, as soon as it is.
   */
  names(ip: Ip, leaving: Leaving, parts: IdentifyingParts): Eventual<Identity> {
    this.#asked ??= this.#ask(ip, leaving, parts)
    return this.#identity ?? this.#asked
  }

  #ask(ip: Ip, leaving: Leaving, parts: IdentifyingParts): Eventual<Identity> {
    const asked = leaving.during(({ signal }) => identify(ip, parts.dns, signal))
    if (asked instanceof Promise) {
      const known = this.#inTime(asked, parts).then((identity) =>
        this.#known(identity, ip, parts.log),
      )
      // Nobody may be there to hear that the client has left.
      known.catch(() => {})
      return known
    }
    return this.#known(asked, ip, parts.log)
  }

  /** That the DNS did not tell proves nothing; that it does not is worth knowing. */
  #known(identity: Identity, ip: Ip, log: Log): Identity {
    this.#identity = identity
    const { state, why } = identity
    if (state === 'unavailable') log.event('identity.unavailable', { client: ip.text, why })
    return identity
  }

  async #inTime(
    asked: Promise<Identity>,
    { clock, timeLimitMs }: IdentifyingParts,
  ): Promise<Identity> {
    const tooSlow = Promise.withResolvers<Identity>()
    const stopTimer = clock.after(timeLimitMs, () => tooSlow.resolve(unknownIdentity))
    try {
      return await Promise.race([asked, tooSlow.promise])
    } finally {
      stopTimer()
    }
  }
}

const nameless = { state: 'unavailable', pointers: [], confirmed: [] } as const
const unknownIdentity: Identity = { ...nameless, why: 'took too long' }

/** Of a client whose address is not its own. */
export const hiddenIdentity: Identity = {
  ...nameless,
  why: 'the address is not the one of the client',
}
