/**
 * What a client sends, as a stream: commands line by line, content past them to its feed.
 *
 * The package asks for its own parser, so this is one; nothing of that one's reading is left. Nor is
 * there of a Writable's own buffering, which costs an object, a callback and a turn of the queue for
 * each piece: what comes while a command is answered waits here.
 */
import { SMTPStream } from 'smtp-server/lib/smtp-stream'
import { pendingInputMax } from './limits.ts'
import { type Line, LineReader } from './line-reader.ts'

/** Who acts on what is said. */
export interface Hearer {
  /**
   * A line, whole or faulty.
   *
   * @param more Whether the client has sent more, without waiting for the reply.
   * @param next To be called when the next line may be heard, at once or later.
   */
  line(line: Line, more: boolean, next: () => void): void
  /** Some bytes have come of a line or a message that goes on, and in so many records of TLS; 0: none. */
  piece(count: number, records: number): void
  /** All that has come has been dealt with: it is the client's turn. */
  turn(): void
  /** Something has come. */
  spoke(): void
  /** More has come than is to wait; nothing is read until `drained`. */
  full(): void
  drained(): void
}

/** Where content goes. */
export interface Feed {
  push(chunk: Buffer): Fed
  /** The content has ended; `resume` is to be called when commands may follow. */
  end(resume: () => void): void
}

export interface Fed {
  /** What follows the end of the content; null while it has not ended. */
  readonly rest: Buffer | null
  /** Settles when more may come; absent when it may come at once. */
  readonly drained: Promise<void> | undefined
}

/** A record of TLS that has as much is content enough to be dealt with on its own. */
const gatheredMax = 4_096
/** A piece of one byte takes two hundred; so many are made one. */
const waitingMax = 1_000
/** After so many commands in a row everybody else has a turn. */
const commandsAtOnce = 100

export class Parser extends SMTPStream {
  readonly #lines: LineReader
  #hearer: Hearer
  #feed: Feed | null = null
  /** Under TLS each record comes on its own, and those read at once are put together again. */
  hasRecords = false
  #recordCount = 0
  #commandCount = 0
  #isReading = false
  #again = false
  /** True while a piece is dealt with, and how long that is. */
  #isBusy = false
  #busyCount = 0
  /** True while that happens at once. */
  #isTaking = false
  /** What has come since. */
  #waiting: Buffer[] = []
  /** How many bytes have come and have not been dealt with. */
  #pendingCount = 0
  #isFull = false

  constructor(lineMax: number, hearer: Hearer) {
    super()
    this.#lines = new LineReader(lineMax)
    this.#hearer = hearer
  }

  /** From now on what comes is content, until its end. */
  set feed(feed: Feed) {
    this.#feed = feed
  }

  /** @returns False when no more is to come before 'drain', as with any stream. */
  override write(chunk: Buffer): boolean {
    this.#hearer.spoke()
    // It is read all the same, or nobody would see the client leave.
    if (this.isClosed) return true
    this.#pendingCount += chunk.length
    if (this.hasRecords) this.#recordCount += 1
    else if (this.#isBusy) this.#hearer.piece(chunk.length, 0)
    if (this.#isBusy) this.#wait(chunk)
    else if (this.#isRecord(chunk)) this.#gather(chunk)
    else this.#work(chunk)
    if (this.#pendingCount < pendingInputMax) return true
    if (!this.#isFull) {
      this.#isFull = true
      this.#hearer.full()
    }
    return false
  }

  #wait(chunk: Buffer): void {
    this.#waiting.push(chunk)
    if (this.#waiting.length < waitingMax) return
    const all = Buffer.concat(this.#waiting)
    this.#waiting = [all]
    if (this.hasRecords) this.#piece(all)
  }

  #isRecord({ length }: Buffer): boolean {
    return this.hasRecords && this.#feed !== null && length < gatheredMax
  }

  /** What is read with it comes before anything else happens. */
  #gather(record: Buffer): void {
    this.#isBusy = true
    this.#busyCount = 0
    this.#waiting.push(record)
    setImmediate(this.#done)
  }

  /** Whether more has come than what has been dealt with or is being so. */
  get hasMore(): boolean {
    return this.#lines.hasMore || this.#waiting.length > 0
  }

  /** Deals with a piece, and with all that has come meanwhile. */
  #work(first: Buffer | null): void {
    let chunk = first
    while (chunk !== null) {
      this.#isBusy = true
      this.#busyCount = chunk.length
      this.#isTaking = true
      this.#take(chunk)
      this.#isTaking = false
      chunk = this.#isBusy ? null : this.#next()
    }
    // Not before: what is read then comes at once, and is to stand behind what has waited.
    if (!this.#isFull || this.#pendingCount >= pendingInputMax) return
    this.#isFull = false
    this.#hearer.drained()
    this.emit('drain')
  }

  #next(): Buffer | null {
    if (this.#waiting.length === 0) return null
    const [only] = this.#waiting
    const chunk = this.#waiting.length === 1 ? only : Buffer.concat(this.#waiting)
    this.#waiting = []
    return chunk ?? null
  }

  #take(chunk: Buffer): void {
    if (this.#feed !== null && !this.isClosed) {
      this.#piece(chunk)
      return this.#content(this.#feed, chunk)
    }
    this.#lines.push(chunk)
    if (this.#lines.hasEnd) this.#recordCount = 0
    else this.#piece(chunk)
    this.#read()
  }

  #piece({ length }: Buffer): void {
    this.#hearer.piece(length, this.#recordCount)
    this.#recordCount = 0
  }

  /** A piece has been dealt with. */
  readonly #done = (): void => {
    this.#isBusy = false
    this.#pendingCount -= this.#busyCount
    if (!this.#isTaking) this.#work(this.#next())
  }

  /** Nothing more will come, and nobody is to be told of anything. */
  close(): void {
    this.isClosed = true
    this.#hearer = deaf
    this.#feed = null
  }

  /** A line that the client never finished is no command. */
  override _flushData(): void {}

  /** Hands on line after line. They may be answered at once, so this is a loop and no recursion. */
  readonly #read = (): void => {
    this.#again = true
    if (this.#isReading) return
    this.#isReading = true
    try {
      while (this.#again) {
        this.#again = false
        this.#readOne()
      }
    } finally {
      this.#isReading = false
    }
  }

  #readOne(): void {
    if (this.isClosed) return this.#done()
    if (this.#feed !== null && this.#lines.hasMore) {
      return this.#content(this.#feed, this.#lines.takeRest())
    }
    const line = this.#feed === null ? this.#lines.next() : null
    if (line === null) {
      this.#hearer.turn()
      return this.#done()
    }
    this.#commandCount += 1
    const yields = this.#commandCount % commandsAtOnce === 0
    const next = yields ? () => setImmediate(this.#read) : this.#read
    this.#hearer.line(line, this.#lines.hasMore, next)
  }

  #content(feed: Feed, chunk: Buffer): void {
    const { rest, drained } = feed.push(chunk)
    if (rest !== null) {
      this.#feed = null
      this.#lines.push(rest)
      feed.end(this.#read)
    } else if (drained === undefined) this.#done()
    else void drained.then(this.#done)
  }
}

const deaf: Hearer = { line() {}, piece() {}, turn() {}, spoke() {}, full() {}, drained() {} }
