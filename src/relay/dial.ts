/**
 * Dials a back end. The only file that knows nodemailer.
 *
 * nodemailer finds the address, reads the greeting, says EHLO and does STARTTLS with verification.
 * Its `send` wants envelope and message at one go, so from there on the socket, which it documents
 * as public, is ours: exactly its listeners come off, and its `error` listener stays until the new
 * owner has put on his own.
 */
import { connect, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { Clock } from '../core/clock.ts'
import { endpointOf } from '../core/endpoint.ts'
import { messageOf } from '../core/errors.ts'
import type { Reply } from '../core/reply.ts'
import { type Capabilities, parseCapabilities } from './capabilities.ts'
import type { BackendOptions } from './options.ts'
import { readReply } from './reply-reader.ts'

/** A back end that has answered EHLO and waits for a command. */
export interface Dialled {
  readonly socket: Socket
  readonly capabilities: Capabilities
  /** False when it did not take EHLO, but only HELO. */
  readonly extended: boolean
  readonly secure: boolean
  /** Under TLS, and its certificate is valid for the name it was called by. */
  readonly verified: boolean
  /** Takes nodemailer's error listener off; to be called once another is on. */
  readonly release: () => void
}

/** No address could be reached, or the one that answered did not want to talk. */
export class DialError extends Error {
  override readonly name = 'DialError'
  /** What it said instead of a greeting, where that was a reply of 4yz or 5yz. */
  readonly refusal: Reply | null

  constructor(message: string, refusal: Reply | null = null) {
    super(message)
    this.refusal = refusal
  }
}

/** nodemailer's own listeners by event, each kept in a field of the connection. */
export const nodemailerListeners = {
  data: '_onSocketData',
  timeout: '_onSocketTimeout',
  close: '_onSocketClose',
  end: '_onSocketEnd',
} as const
export const nodemailerErrorListener = '_onSocketError'
/** Where it keeps the lines of the EHLO reply after the first; not there after HELO. */
export const nodemailerEhloLines = '_ehloLines'

/** What is written before anything else: a PROXY header. */
export type Preface = (socket: Socket) => Buffer

/**
 * @param address "host:port" or "[IPv6]:port".
 * @param name Who we say we are.
 * @throws DialError when the back end cannot be reached or turns us away; `signal.reason` on abort.
 */
export async function dial(
  address: string,
  name: string,
  options: BackendOptions,
  clock: Clock,
  signal: AbortSignal,
  preface: Preface | null = null,
): Promise<Dialled> {
  signal.throwIfAborted()
  const startedAt = clock.now()
  const limitMs = options.connect_timeout
  const limits = { address, limitMs, clock, signal }
  const opened = preface === null ? null : await open(preface, limits)
  return await greet(opened, name, options, {
    ...limits,
    limitMs: limitMs - (clock.now() - startedAt),
  })
}

interface Limits {
  readonly address: string
  readonly limitMs: number
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Opens a connection and writes the first bytes. */
async function open(preface: Preface, { address, limitMs, clock, signal }: Limits) {
  const socket = connect({ ...endpointOf(address), noDelay: true })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const giveUp = (reason: unknown) => {
    reject(reason)
    socket.destroy()
  }
  const leave = () => giveUp(signal.reason)
  const fail = (error: Error) => giveUp(new DialError(`${address}: ${messageOf(error)}`))
  const stopTimer = clock.after(limitMs, () =>
    giveUp(new DialError(`${address}: not reached after ${limitMs} ms`)),
  )
  signal.addEventListener('abort', leave, { once: true })
  socket.once('connect', resolve)
  // It stays until the next one is on, which is before anything else can happen.
  socket.on('error', fail)
  try {
    await promise
    socket.write(preface(socket))
    return { socket, release: () => socket.off('error', fail) }
  } finally {
    stopTimer()
    signal.removeEventListener('abort', leave)
  }
}

/** Lets nodemailer read the greeting, say EHLO or LHLO and do STARTTLS. */
async function greet(
  opened: Awaited<ReturnType<typeof open>> | null,
  name: string,
  options: BackendOptions,
  { address, limitMs, clock, signal }: Limits,
): Promise<Dialled> {
  const connection = new SMTPConnection({
    ...settingsFor(address, options),
    name,
    ...(opened && { connection: opened.socket }),
  })
  const { promise, resolve, reject } = Promise.withResolvers<Dialled>()
  const settle = () => {
    stopTimer()
    signal.removeEventListener('abort', leave)
  }
  const giveUp = (reason: unknown) => {
    settle()
    connection.close()
    reject(reason)
  }
  const leave = () => giveUp(signal.reason)
  const fail = (error: Error) =>
    giveUp(new DialError(`${address}: ${error.message}`, refusalIn(error)))
  const stopTimer = clock.after(limitMs, () =>
    fail(new Error(`not ready for mail after ${options.connect_timeout} ms`)),
  )
  signal.addEventListener('abort', leave, { once: true })
  connection.on('error', fail)
  connection.connect((error) => {
    if (error) return fail(error)
    try {
      resolve(takeOver(connection))
      settle()
    } catch (fault) {
      fail(new Error(messageOf(fault)))
    }
  })
  opened?.release()
  return await promise
}

function settingsFor(address: string, options: BackendOptions) {
  return {
    ...endpointOf(address),
    secure: false,
    lmtp: options.protocol === 'lmtp',
    ignoreTLS: options.tls === 'off',
    requireTLS: options.tls === 'require',
    opportunisticTLS: options.tls === 'opportunistic',
    tls: { rejectUnauthorized: options.tls === 'require' },
    connectionTimeout: options.connect_timeout,
    greetingTimeout: options.connect_timeout,
    dnsTimeout: options.connect_timeout,
    allowInternalNetworkInterfaces: true,
    socketCloseTimeout: 0,
    maxResponseSize: 64 * 1024,
    logger: false,
  } as const
}

/** The reply that nodemailer makes an error of, when it was one to the connection itself. */
function refusalIn(error: Error): Reply | null {
  const command: unknown = Reflect.get(error, 'command')
  const response: unknown = Reflect.get(error, 'response')
  if (typeof response !== 'string' || (command !== 'CONN' && command !== 'EHLO')) return null
  const said = readReply(response.split(/\r?\n/))
  return said !== null && said.code >= 400 ? said : null
}

function takeOver(connection: SMTPConnection): Dialled {
  const socket = connection._socket
  if (!socket) throw new DialError('connected without a socket')
  for (const [event, field] of Object.entries(nodemailerListeners)) {
    socket.off(event, listenerIn(connection, field))
  }
  socket.setTimeout(0)
  socket.pause()
  const verified = socket instanceof TLSSocket && socket.authorized
  return {
    socket,
    verified,
    capabilities: parseCapabilities(linesIn(connection, nodemailerEhloLines), verified),
    extended: Array.isArray(Reflect.get(connection, nodemailerEhloLines)),
    secure: connection.secure,
    release: () => socket.off('error', listenerIn(connection, nodemailerErrorListener)),
  }
}

function listenerIn(connection: SMTPConnection, field: string): (...args: unknown[]) => void {
  const listener: unknown = Reflect.get(connection, field)
  if (!isListener(listener)) throw new DialError(`nodemailer has no ${field} any more`)
  return listener
}

function linesIn(connection: SMTPConnection, field: string): string[] {
  const lines: unknown = Reflect.get(connection, field)
  return Array.isArray(lines) ? lines.map(String) : []
}

function isListener(value: unknown): value is (...args: unknown[]) => void {
  return typeof value === 'function'
}
