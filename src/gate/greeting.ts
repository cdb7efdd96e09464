/**
 * The greet pause: our greeting is held back for a while, on the bare socket, before any SMTP
 * object exists. Servers wait for it; engines that send everything at once do not.
 *
 * The socket is read meanwhile, since one that is not does not tell that the client has left.
 */
import type { Socket } from 'node:net'
import type { Clock, Instant, Ms } from '../core/clock.ts'
import type { Finding, Reaction } from '../core/ledger.ts'
import { type Verdict, weigh } from '../delay/weigh.ts'
import { Ended } from '../session/ended.ts'
import { countedIn } from '../session/patience.ts'
import type { Session } from '../session/session.ts'
import type { GreetingOptions } from './options.ts'

/** What a client may send before its greeting; what is more than this it need not say again. */
const earlyMax = 16 * 1024

export interface Pause {
  readonly socket: Socket
  readonly session: Session
  readonly options: GreetingOptions
  readonly clock: Clock
}

/** What came of it: `talk` is what the client sent, null when it kept silent. */
export type PauseEnd =
  | { readonly kind: 'greet'; readonly talk: Buffer | null }
  | { readonly kind: 'reject'; readonly talk: Buffer }
  | { readonly kind: 'gone' }

/** Waits until the client may be greeted, has talked, or has left. */
export function greetPause(pause: Pause): Promise<PauseEnd> {
  const { promise, resolve } = Promise.withResolvers<PauseEnd>()
  new Pausing(pause, resolve).start()
  return promise
}

class Pausing {
  readonly #pause: Pause
  readonly #resolve: (end: PauseEnd) => void
  readonly #startedAt: Instant
  #plannedMs: Ms
  #talk: Buffer | null = null
  #stopTimer: () => void = () => {}
  #over = false

  constructor(pause: Pause, resolve: (end: PauseEnd) => void) {
    this.#pause = pause
    this.#resolve = resolve
    this.#startedAt = pause.clock.now()
    this.#plannedMs = pause.options.pause
  }

  start(): void {
    const { socket, session } = this.#pause
    if (session.screening.isKnownGood()) return this.#end({ kind: 'greet', talk: null }, 'released')
    socket.on('data', this.#onData)
    socket.on('close', this.#onGone)
    socket.on('end', this.#onGone)
    session.leaving.listen(this.#onGone)
    this.#wait(this.#plannedMs)
    session.screening.identify().then(this.#onIdentity, () => {})
  }

  #wait(ms: Ms): void {
    this.#stopTimer = this.#pause.clock.after(ms, this.#onTime)
  }

  /** The pause is over, unless by now there is a reason for a longer one. */
  readonly #onTime = (): void => {
    const { options } = this.#pause
    if (this.#suspicion.sum > 0 && this.#plannedMs < options.pause_suspect) {
      const more = options.pause_suspect - this.#plannedMs
      this.#plannedMs = options.pause_suspect
      return this.#wait(more)
    }
    this.#end({ kind: 'greet', talk: this.#talk }, this.#talk === null ? 'waited' : 'talked')
  }

  readonly #onData = (chunk: Buffer): void => {
    const talk = Buffer.concat([this.#talk ?? Buffer.alloc(0), chunk])
    this.#talk = talk
    if (this.#pause.options.early_talk === 'reject') this.#end({ kind: 'reject', talk }, 'talked')
    else if (talk.length > earlyMax) this.#pause.socket.pause()
  }

  readonly #onIdentity = (): void => {
    if (this.#pause.session.screening.isKnownGood()) {
      this.#end({ kind: 'greet', talk: this.#talk }, 'released')
    }
  }

  readonly #onGone = (): void => {
    const ours = this.#pause.session.leaving.reason instanceof Ended
    this.#end({ kind: 'gone' }, ours ? 'released' : 'left')
  }

  get #suspicion(): Verdict {
    return suspicionOf(this.#pause.session, this.#talk, 1)
  }

  #end(end: PauseEnd, reaction: Reaction): void {
    if (this.#over) return
    this.#over = true
    this.#stopTimer()
    const { socket, session, clock } = this.#pause
    // Nobody listens until the next owner does; what comes in between is to wait for him.
    socket.pause()
    socket.off('data', this.#onData)
    socket.off('close', this.#onGone)
    socket.off('end', this.#onGone)
    session.leaving.unlisten(this.#onGone)
    const waitedMs = Math.round(clock.now() - this.#startedAt)
    session.ledger.entries.push({
      stage: 'greeting',
      ...countedIn(this.#suspicion),
      targetMs: this.#plannedMs,
      lookupMs: 0,
      plannedMs: this.#plannedMs,
      waitedMs,
      reaction,
      observed: false,
    })
    this.#resolve(end)
  }
}

/**
 * What speaks against a client by the end of its pause.
 *
 * @param talk What it has sent.
 * @param fullAt The sum that earns the whole delay.
 */
export function suspicionOf({ screening }: Session, talk: Buffer | null, fullAt: number): Verdict {
  const found = screening.foundSoFar.filter(({ action }) => action === 'delay')
  return weigh(talk === null ? found : [...found, earlyTalk], fullAt)
}

/** Stands in the ledger for what the reason will say of it. */
const earlyTalk: Finding = {
  reason: 'early-talker',
  stage: 'greeting',
  evidence: 'talked before the greeting',
  action: 'delay',
  weight: 10,
  excuses: [],
  header: null,
}
