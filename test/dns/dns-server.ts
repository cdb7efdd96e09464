/**
 * A small DNS server over UDP, its answers being data (RFC 1035 section 4), for the tests of our
 * resolver. It can fail, keep silent and hold its answers back, which real servers do not do on
 * demand.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

/** A name; as a list of labels when the labels hold bytes that a dotted name cannot. */
export type Name = string | readonly string[]

export type Entry =
  | 'SERVFAIL'
  | 'REFUSED'
  | 'silence'
  | 'truncated'
  | { readonly ttl?: number; readonly values: readonly Name[] }

/** Entries by question, as "A mail.example.org". Values as in a zone file: "10 mx.example.org". */
export type Zone = Readonly<Record<string, Entry>>

const types: Readonly<Record<string, number>> = {
  A: 1,
  CNAME: 5,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
}
const rcodes = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 }
const heldMax = 1_000

export class DnsServer {
  /** "127.0.0.1:12345", for the `servers` setting. */
  readonly address: string
  /** Every question that came, in order, repeated ones included. */
  readonly asked: string[] = []
  readonly #socket: Socket
  readonly #zone: Zone
  #held: (() => void)[] | null = null
  #arrived = Promise.withResolvers<void>()

  constructor(socket: Socket, zone: Zone) {
    this.address = `127.0.0.1:${(socket.address() as AddressInfo).port}`
    this.#socket = socket
    this.#zone = zone
    socket.on('message', (message, from) => this.#take(message, from))
  }

  /** Settles once `count` questions have come in all. */
  async arrived(count: number): Promise<void> {
    while (this.asked.length < count) await this.#arrived.promise
  }

  /** Holds answers back until `release`. */
  hold(): void {
    this.#held = []
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = null
    for (const send of held) send()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#held = null
    this.#socket.close()
    await once(this.#socket, 'close')
  }

  #take(message: Buffer, from: RemoteInfo): void {
    const { question, end } = readQuestion(message)
    this.asked.push(question)
    const reply = this.#replyTo(question, message.subarray(0, end))
    const send = () => reply !== null && this.#socket.send(reply, from.port, from.address)
    if (this.#held === null) send()
    else if (this.#held.length < heldMax) this.#held.push(send)
    this.#arrived.resolve()
    this.#arrived = Promise.withResolvers<void>()
  }

  #replyTo(question: string, asked: Buffer): Buffer | null {
    const entry = this.#zone[question]
    if (entry === 'silence') return null
    if (entry === 'truncated') return reply(asked, { flags: 0x8380, records: [] })
    if (typeof entry === 'string')
      return reply(asked, { flags: 0x8180 | rcodes[entry], records: [] })
    if (entry !== undefined) {
      const [type = ''] = question.split(' ')
      const records = entry.values.map((value) => recordOf(type, value, entry.ttl ?? 300))
      return reply(asked, { flags: 0x8180, records })
    }
    const [, name = ''] = question.split(' ')
    const exists = Object.keys(this.#zone).some((key) => key.endsWith(` ${name}`))
    return reply(asked, { flags: exists ? 0x8180 : 0x8180 | rcodes.NXDOMAIN, records: [] })
  }
}

export async function startDnsServer(zone: Zone): Promise<DnsServer> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return new DnsServer(socket, zone)
}

function readQuestion(message: Buffer): { question: string; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const code = message.readUInt16BE(at + 1)
  const type = Object.entries(types).find(([, value]) => value === code)?.[0] ?? String(code)
  return { question: `${type} ${labels.join('.').toLowerCase()}`, end: at + 5 }
}

function reply(asked: Buffer, { flags, records }: { flags: number; records: Buffer[] }): Buffer {
  const header = Buffer.from(asked)
  header.writeUInt16BE(flags, 2)
  header.writeUInt16BE(records.length, 6)
  header.writeUInt32BE(0, 8)
  return Buffer.concat([header, ...records])
}

/** One resource record; its owner is the name in the question (a pointer to byte 12). */
function recordOf(type: string, value: Name, ttl: number): Buffer {
  const data = dataOf(type, value)
  const head = Buffer.alloc(12)
  head.writeUInt16BE(0xc00c, 0)
  head.writeUInt16BE(types[type] ?? 0, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(ttl, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

function dataOf(type: string, value: Name): Buffer {
  const text = typeof value === 'string' ? value : value.join('.')
  if (type === 'A') return Buffer.from(text.split('.').map(Number))
  if (type === 'AAAA') return ipv6Bytes(text)
  if (type === 'TXT') return Buffer.concat((text.match(/.{1,255}/gs) ?? ['']).map(characterString))
  if (type !== 'MX') return nameBytes(value)
  const [preference = '', host = ''] = text.split(' ')
  return Buffer.concat([Buffer.from([0, Number(preference)]), nameBytes(host)])
}

function nameBytes(name: Name): Buffer {
  const labels = typeof name === 'string' ? name.split('.').filter((label) => label !== '') : name
  return Buffer.concat([...labels.map(characterString), Buffer.from([0])])
}

function characterString(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}

function ipv6Bytes(text: string): Buffer {
  const [front = '', back = ''] = text.split('::')
  const [before, after] = [front, back].map((part) => part.split(':').filter((w) => w !== ''))
  const words = [...(before ?? []), ...(after ?? [])]
  const zeros = Array.from({ length: 8 - words.length }, () => '0')
  const all = [...(before ?? []), ...zeros, ...(after ?? [])]
  return Buffer.from(all.map((word) => word.padStart(4, '0')).join(''), 'hex')
}
