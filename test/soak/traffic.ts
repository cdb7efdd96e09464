/** Clients of all kinds, good and hostile, one after the other, until they are told to stop. */
import { setTimeout as sleep } from 'node:timers/promises'
import { stuffed, Talk } from '../mta/servers/talk.ts'

const message = `Subject: soak\n\n${'a line of an ordinary message\n'.repeat(200)}`

type Kind = (client: Talk) => Promise<unknown>

/** What a client does once it has connected. Whatever goes wrong ends it; that is its business. */
const kinds: Readonly<Record<string, Kind>> = {
  async 'sends three messages'(client) {
    await client.opens()
    for (let count = 0; count < 3; count += 1) {
      await client.gives('user@example.net')
      await client.sends(message)
    }
    await client.quits()
  },
  async 'is made to wait and sends one'(client) {
    await client.opens('computer')
    await client.gives('user@example.net')
    await client.sends(message)
    await client.quits()
  },
  async 'leaves while it waits'(client) {
    await client.opens('computer')
    client.says('MAIL FROM:<a@client.example>\r\nRCPT TO:<user@example.net>')
    await sleep(200)
  },
  async 'talks before the greeting'(client) {
    client.says('EHLO too.soon.example\r\nMAIL FROM:<a@client.example>')
    await client.closed
  },
  async 'says nothing'() {
    await sleep(1_000)
  },
  async 'leaves in the middle of its message'(client) {
    await client.opens()
    await client.gives('user@example.net')
    await client.asks('DATA')
    client.says(stuffed(message).subarray(0, 3_000))
    await sleep(20)
  },
  async 'leaves before it hears the last reply'(client) {
    await client.opens()
    await client.gives('user@example.net')
    await client.asks('DATA')
    client.says(stuffed(message))
  },
  async 'pipelines nonsense'(client) {
    await client.opens()
    client.says(`${'NOOP\r\nWIZ\r\nMAIL FROM:<\r\nRSET\r\n'.repeat(100)}QUIT`)
    await client.closed
  },
  async 'sends bytes'(client) {
    await client.hears()
    client.says(Buffer.from(Array.from({ length: 2_000 }, (_, at) => (at * 73) % 256)))
    await sleep(50)
  },
  async 'sends a line without end'(client) {
    await client.hears()
    client.says(Buffer.alloc(300_000, 'A'))
    await client.closed
  },
  async smuggles(client) {
    await client.opens()
    await client.gives('user@example.net')
    await client.asks('DATA')
    await client.asks(Buffer.from('Subject: x\r\n\r\na\n.\nMAIL FROM:<b@client.example>\r\n.\r\n'))
    await client.quits()
  },
  async 'asks for other domains'(client) {
    await client.opens()
    await client.gives('victim@elsewhere.example')
    await client.asks('RSET')
    await client.quits()
  },
}

export const kindNames = Object.keys(kinds)

/** Keeps `count` clients busy until `signal` aborts. @returns How many there were of each kind. */
export async function traffic(
  address: string,
  count: number,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  const counts = Object.fromEntries(kindNames.map((name) => [name, 0]))
  let next = 0
  const one = async () => {
    while (!signal.aborted) {
      const name = kindNames[next % kindNames.length] ?? ''
      next += 1
      counts[name] = (counts[name] ?? 0) + 1
      await visit(address, next, kinds[name])
    }
  }
  await Promise.all(Array.from({ length: count }, one))
  return counts
}

/** From many networks, so that no limit for one of them ends the test. */
async function visit(address: string, number: number, kind: Kind | undefined): Promise<void> {
  try {
    using client = await Talk.to(address, `198.51.${number % 256}.${(number >> 8) % 256}`)
    await Promise.race([kind?.(client), client.closed, sleep(10_000)])
  } catch {
    // Hung up on, or the wrong answer: it goes, and the next one comes.
  }
}
