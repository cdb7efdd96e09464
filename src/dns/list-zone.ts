/**
 * What the zone of a DNS list says (RFC 5782): listed, not listed, or "I will not serve you".
 * Remembers nothing; what follows from an answer is dns-list.ts's affair.
 */
import { z } from 'zod'
import { type Eventual, eventually } from '../core/eventual.ts'
import { type Network, parseIp, parseNetwork } from '../core/ip.ts'
import type { Answer, Dns } from './resolver.ts'

/** What a list says: as the DNS, and sometimes that it will not serve us. */
export type ListAnswer = Answer<string> | { readonly kind: 'error'; readonly why: string }

/**
 * What a self-test showed. `broken` lasts until another one shows `good`; `error` may be over soon;
 * `unknown` is the DNS's failure, not the list's.
 */
export type Verdict =
  | { readonly kind: 'good' }
  | { readonly kind: 'broken' | 'error'; readonly why: string }
  | { readonly kind: 'unknown' }

/**
 * The test points (RFC 5782 section 5). Those of IPv6 are ::ffff:127.0.0.2 and .1, spelt out because
 * everybody, we too, takes such addresses for IPv4 and would ask the wrong tree.
 */
const mapped = `f.f.f.f${'.0'.repeat(20)}`
export const ipv4Points: TestPoints = {
  listed: { shown: '127.0.0.2', labels: '2.0.0.127' },
  unlisted: { shown: '127.0.0.1', labels: '1.0.0.127' },
}
export const ipv6Points: TestPoints = {
  listed: { shown: '::ffff:7f00:2', labels: `2.0.0.0.0.0.f.7.${mapped}` },
  unlisted: { shown: '::ffff:7f00:1', labels: `1.0.0.0.0.0.f.7.${mapped}` },
}

/** A list of domains has TEST and not INVALID. */
export const domainPoints: TestPoints = {
  listed: { shown: 'TEST', labels: 'test' },
  unlisted: { shown: 'INVALID', labels: 'invalid' },
}

interface TestPoint {
  readonly shown: string
  readonly labels: string
}

export interface TestPoints {
  readonly listed: TestPoint
  readonly unlisted: TestPoint
}

const listings = codeNetwork('127.0.0.0/8')
/** "You asked wrongly", "too much", "by way of a public resolver": Spamhaus and others. */
const errors = codeNetwork('127.255.255.0/24')

/**
 * Asks for one name below `zone`. Of the answers, only those are kept that can be listings: a domain
 * dealer who bought the zone of a dead list usually answers with the address of his advertisements.
 */
export function askList(
  dns: Dns,
  zone: string,
  labels: string,
  signal: AbortSignal,
): Eventual<ListAnswer> {
  return eventually(dns.addresses(`${labels}.${zone}`, 4, signal), (answer): ListAnswer => {
    const error = answer.kind === 'found' && answer.records.find((code) => isCodeIn(errors, code))
    if (typeof error !== 'string') return only(answer, (code) => isCodeIn(listings, code))
    return { kind: 'error', why: `it answers ${error}, an error of the list` }
  })
}

/** Asks for both test points. */
export async function testList(
  dns: Dns,
  zone: string,
  points: TestPoints,
  signal: AbortSignal,
): Promise<Verdict> {
  const [listed, unlisted] = await Promise.all([
    askList(dns, zone, points.listed.labels, signal),
    askList(dns, zone, points.unlisted.labels, signal),
  ])
  if (listed.kind === 'error') return listed
  if (unlisted.kind === 'error') return unlisted
  if (unlisted.kind === 'found') {
    return { kind: 'broken', why: `it lists ${points.unlisted.shown}, which nobody may list` }
  }
  if (listed.kind === 'none') {
    return { kind: 'broken', why: `it does not list its test entry ${points.listed.shown}` }
  }
  return { kind: listed.kind === 'found' && unlisted.kind === 'none' ? 'good' : 'unknown' }
}

/** The records that pass; `none` when none does. */
export function only(answer: Answer<string>, passes: (record: string) => boolean): Answer<string> {
  if (answer.kind !== 'found') return answer
  const records = answer.records.filter(passes)
  return records.length > 0 ? { kind: 'found', records } : { kind: 'none' }
}

export function isCodeIn(network: Network, text: string): boolean {
  const ip = parseIp(text)
  return ip !== null && network.contains(ip)
}

/** A setting: answers of a list that count. All that a list answers lies in 127.0.0.0/8 (RFC 5782 section 2.1). */
export function answerCodes() {
  return z.array(z.string().refine(isCode, 'expected "127.0.0.2" or "127.0.0.0/28"'))
}

function isCode(text: string): boolean {
  return text.startsWith('127.') && parseNetwork(text) !== null
}

/** @throws Error when `code` is neither an address nor a network. */
export function codeNetwork(code: string): Network {
  const network = parseNetwork(code)
  if (network === null) throw new Error(`"${code}" is no answer code such as "127.0.0.10"`)
  return network
}
