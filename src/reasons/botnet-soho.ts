/**
 * An excuse: a small office that sends its own mail over a line with a provider's name.
 *
 * The domain of the sender leads to the client by its address or its mail hosts, or the name in HELO
 * does. Whoever owns the domain has said so in DNS; a look-up that fails has said nothing.
 */
import { splitAddress } from '../core/envelope.ts'
import { type Ip, parseIp } from '../core/ip.ts'
import { defineReason, reasonOptions, type Tools } from './reason.ts'

/** Of a longer list of mail hosts these are asked; its owner is a stranger. */
const exchangesMax = 5

export const botnetSoho = defineReason({
  name: 'botnet-soho',
  stage: 'mail',
  summary: 'An excuse: the domain of the sender, or the name in HELO, leads to the client in DNS.',
  source: 'Botnet 0.8 BOTNET_SOHO',
  options: reasonOptions({ weight: 10 }, {}),
  excuses: [
    ...['botnet-nordns', 'botnet-baddns', 'botnet-client'],
    ...['botnet-ipinhostname', 'botnet-clientwords'],
  ],

  prepare() {
    return {
      async find({ client, helo, sender }, tools) {
        const { pointers } = await tools.identify()
        const [name] = pointers
        const { domain } = splitAddress(sender.address)
        const hello = helo.toLowerCase().replace(/\.$/, '')
        // The name of the line itself excuses nothing.
        const claims = [domain, hello].filter((claim) => claim !== '' && claim !== name)
        for (const claim of claims) {
          if (await leadsTo(claim, client, tools)) return `${claim} leads to ${client.text}`
        }
        return domain === '' || domain === name ? null : await byMailHost(domain, client, tools)
      },
    }
  },
})

async function byMailHost(domain: string, client: Ip, tools: Tools): Promise<string | null> {
  const answer = await tools.dns.exchanges(domain, tools.signal)
  if (answer.kind !== 'found') return null
  const hosts = answer.records.filter((host) => host !== '.').slice(0, exchangesMax)
  const found = await Promise.all(hosts.map((host) => leadsTo(host, client, tools)))
  const host = hosts.find((_, index) => found[index])
  return host === undefined ? null : `${host}, a mail host of ${domain}, is ${client.text}`
}

async function leadsTo(name: string, client: Ip, { dns, signal }: Tools): Promise<boolean> {
  const answer = await dns.addresses(name, client.family, signal)
  return (
    answer.kind === 'found' && answer.records.some((text) => parseIp(text)?.text === client.text)
  )
}
