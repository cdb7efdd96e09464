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

/** Who waits. */
export interface Waiting {
  readonly socket: Socket
  readonly session: Session
}

/** What came of it: `talk` is what the client sent, null when it kept silent. */
export type PauseEnd =
  | { readonly kind: 'greet'; readonly talk: Buffer | null }
  | { readonly kind: 'reject'; readonly talk: Buffer }
  | { readonly kind: 'gone' }

/** Waits until the client may be greeted, has talked, or has left; tells `onEnd` once. */
export function greetPause<Who extends Waiting>(
  who: Who,
  options: GreetingOptions,
  clock: Clock,
  onEnd: (who: Who, end: PauseEnd) => void,
): void {
  new Pausing(who, options, clock, onEnd).start()
}

/** Those who wait, to be found by what their sockets emit. */
const pauses = new WeakMap<Socket, { talked(chunk: Buffer): void }>()

function onData(this: Socket, chunk: Buffer): void {
  pauses.get(this)?.talked(chunk)
}

class Pausing<Who extends Waiting> {
  readonly #who: Who
  readonly #options: GreetingOptions
  readonly #clock: Clock
  readonly #onEnd: (who: Who, end: PauseEnd) => void
  readonly #startedAt: Instant
  #plannedMs: Ms
  #talk: Buffer | null = null
  #stopTimer: () => void = nothing
  #over = false

  constructor(
    who: Who,
    options: GreetingOptions,
    clock: Clock,
    onEnd: (who: Who, end: PauseEnd) => void,
  ) {
    this.#who = who
    this.#options = options
    this.#clock = clock
    this.#onEnd = onEnd
    this.#startedAt = clock.now()
    this.#plannedMs = options.pause
  }

  start(): void {
    const { socket, session } = this.#who
    if (session.screening.isKnownGood()) return this.#end({ kind: 'greet', talk: null }, 'released')
    if (this.#isNone && socket.readableLength === 0)
      return this.#end({ kind: 'greet', talk: null }, 'waited')
    pauses.set(socket, this)
    socket.on('data', onData)
    // A client that leaves closes its session, and so do we when we end it.
    session.leaving.listen(this.#onGone)
    this.#wait(this.#plannedMs)
    const identifying = session.screening.identify()
    if (identifying instanceof Promise) identifying.then(() => this.#identified(), nothing)
  }

  /** Whether there is nothing to wait for. */
  get #isNone(): boolean {
    const { pause, pause_suspect } = this.#options
    return pause === 0 && (pause_suspect === 0 || this.#suspicion.sum === 0)
  }

  #wait(ms: Ms): void {
    this.#stopTimer = this.#clock.after(ms, () => this.#timeIsUp())
  }

  /** The pause is over, unless by now there is a reason for a longer one. */
  #timeIsUp(): void {
    const options = this.#options
    if (this.#suspicion.sum > 0 && this.#plannedMs < options.pause_suspect) {
      const more = options.pause_suspect - this.#plannedMs
      this.#plannedMs = options.pause_suspect
      return this.#wait(more)
    }
    this.#end({ kind: 'greet', talk: this.#talk }, this.#talk === null ? 'waited' : 'talked')
  }

  talked(chunk: Buffer): void {
    const talk = Buffer.concat([this.#talk ?? Buffer.alloc(0), chunk])
    this.#talk = talk
    if (this.#options.early_talk === 'reject') this.#end({ kind: 'reject', talk }, 'talked')
    else if (talk.length > earlyMax) this.#who.socket.pause()
  }

  #identified(): void {
    if (this.#who.session.screening.isKnownGood()) {
      this.#end({ kind: 'greet', talk: this.#talk }, 'released')
    }
  }

  readonly #onGone = (): void => {
    const ours = this.#who.session.leaving.reason instanceof Ended
    this.#end({ kind: 'gone' }, ours ? 'released' : 'left')
  }

  get #suspicion(): Verdict {
    return suspicionOf(this.#who.session, this.#talk, 1)
  }

  #end(end: PauseEnd, reaction: Reaction): void {
    if (this.#over) return
    this.#over = true
    this.#stopTimer()
    const { socket, session } = this.#who
    // Nobody listens until the next owner does; what comes in between is to wait for him.
    socket.pause()
    socket.off('data', onData)
    pauses.delete(socket)
    session.leaving.unlisten(this.#onGone)
    this.#note(reaction)
    this.#onEnd(this.#who, end)
  }

  /** What cost the client no time is nothing to write down. */
  #note(reaction: Reaction): void {
    if (this.#plannedMs === 0) return
    const waitedMs = Math.round(this.#clock.now() - this.#startedAt)
    this.#who.session.ledger.entries.push({
      stage: 'greeting',
      ...countedIn(this.#suspicion),
      targetMs: this.#plannedMs,
      lookupMs: 0,
      plannedMs: this.#plannedMs,
      waitedMs,
      reaction,
      observed: false,
    })
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

function nothing(): void {}
