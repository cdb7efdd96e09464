/** What the reasons of one stage may use. Most need no signal, and then none is made. */
import type { Eventual } from '../core/eventual.ts'
import type { Lent } from '../core/leaving.ts'
import type { Dns } from '../dns/resolver.ts'
import type { Identity } from '../dns/reverse.ts'
import type { Tools } from '../reasons/reason.ts'

export class LentTools implements Tools {
  readonly dns: Dns
  readonly identify: () => Eventual<Identity>
  readonly #lent: Lent

  constructor(dns: Dns, identify: () => Eventual<Identity>, lent: Lent) {
    this.dns = dns
    this.identify = identify
    this.#lent = lent
  }

  get signal(): AbortSignal {
    return this.#lent.signal
  }
}
