/**
 * A network of the benchmark's own, where the machine gives it one.
 *
 * Each connection that has ended keeps its port for a minute (TIME_WAIT). After some 28,000 there is none left that
 * need not be sought for, and the client has seven times as much to do: HAProxy falls from 4,500 messages/s to 600, and
 * so does everybody. In a namespace of ours the kernel keeps next to none.
 */
import { spawnSync } from 'node:child_process'

const mark = 'BENCH_NETWORK'
const setUp = 'ip link set lo up && echo 500 >/proc/sys/net/ipv4/tcp_max_tw_buckets'

/** Whether we are in one. */
export const isOwnNetwork = process.env[mark] === 'own'

/**
 * Runs the present script in one, with the same arguments.
 *
 * @returns Its exit code; null when that is not possible here.
 */
export function runInOwnNetwork(): number | null {
  const inside = (...command: string[]) => [
    '--net',
    'sh',
    '-c',
    `${setUp} && exec "$@"`,
    'sh',
    ...command,
  ]
  if (spawnSync('unshare', inside('true')).status !== 0) return null
  const { status } = spawnSync('unshare', inside(process.execPath, ...process.argv.slice(1)), {
    stdio: 'inherit',
    env: { ...process.env, [mark]: 'own' },
  })
  return status ?? 1
}
