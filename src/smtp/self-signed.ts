/**
 * A certificate of our own making, for who has none. The only file that knows @peculiar/x509.
 *
 * Without TLS mail crosses the net in the open. Servers that send mail take any certificate (RFC
 * 7435), so one that nobody has vouched for still keeps it from whoever only listens.
 */
import { KeyObject, webcrypto } from 'node:crypto'
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509'
import type { Clock, Ms } from '../core/clock.ts'
import type { Pair } from './certificates.ts'

const validForMs: Ms = 3_650 * 86_400_000
/** Clocks of others may be behind ours. */
const beforeMs: Ms = 86_400_000

/** A new certificate for this name, and its key, which is nowhere but in memory. */
export async function selfSigned(name: string, clock: Clock): Promise<Pair> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: [{ CN: [name] }],
      notBefore: later(clock.wall(), -beforeMs),
      notAfter: later(clock.wall(), validForMs),
      signingAlgorithm: algorithm,
      keys,
      extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: name }])],
    },
    webcrypto,
  )
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' })
  return { certificate: `${certificate.toString('pem')}\n`, key: String(key) }
}

function later(wall: Date, ms: Ms): Date {
  wall.setTime(wall.getTime() + ms)
  return wall
}
