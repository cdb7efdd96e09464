/**
 * What a second Treacle on the same port brings (`listen.reuse_port`) where most of the work is TLS: each message on a
 * connection of its own that begins with STARTTLS. One Treacle has the first core to itself; two have
 * all cores, and share the second with the client, the sink and the names.
 *
 * So on a machine of two cores this is no measure of how far workers scale. It shows that they share the
 * load, whether a message costs more CPU with two of them, and what is left of the gain when the rest
 * of the machine is busy.
 */
import { cpus } from 'node:os'
import { cell, interleaved, medianOf } from './measure.ts'
import { type Measured, startTreacle, type TreacleSetup } from './rig.ts'

const columns: readonly (readonly [title: string, path: string])[] = [
  ['msg/s', 'messagesPerSecond'],
  ['CPU s / 1,000', 'cpuSecondsPer1000'],
  ['cores in use', 'serverCpuShare'],
  ['by the client', 'clientCpuShare'],
]

export async function workersTable(
  setup: Omit<TreacleSetup, 'pauses'>,
  tiny: boolean,
): Promise<string> {
  const config = 'listen.reuse_port = true\ntls.self_signed = true'
  const shared = { ...setup, pauses: false, built: !tiny, config }
  const all = cpus().map((_, core) => core)
  await using alone = await startTreacle({ ...shared, cores: '0' })
  await using first = await startTreacle({ ...shared, cores: all.join(',') })
  await using second = await startTreacle({ ...shared, cores: all.join(','), port: first.port })
  const pair: Measured = { ...first, name: 'two Treacles', pids: [first.pid, second.pid] }
  const count = tiny ? 8 : 1_500
  const args = ['--messages', String(count), '--warmup', String(tiny ? 0 : count / 5)]
  const readings = await interleaved(
    [{ ...alone, name: 'one Treacle' }, pair],
    tiny ? 1 : 3,
    [...args, '--concurrency', '20', '--starttls'],
    { patienceMs: tiny ? 0 : 4_000, warmsUp: !tiny },
  )
  const [base = []] = readings.values()
  const rows = [...readings].map(([name, own]) => {
    const failed = own.some(({ failures }) => failures !== undefined) ? ' (with failures)' : ''
    const cells = columns.map(([, path]) => cell(medianOf(own, path), medianOf(base, path)))
    return `| ${name}${failed} | ${cells.join(' | ')} |`
  })
  return [
    '## 4 kB under TLS, one a connection, 20 at once: one Treacle and two on one port\n',
    `| | ${columns.map(([title]) => title).join(' | ')} |`,
    `|---|${columns.map(() => '---:').join('|')}|`,
    ...rows,
    `\nIn brackets the ratio to one Treacle, which has a core to itself. Two have all ${all.length} cores; but the client,
which does as many handshakes, and the sink need one of them, so on two cores two cannot be twice as
fast.\n`,
  ].join('\n')
}
