/**
 * A network of the benchmark's own, where the machine gives it one.
 *
 * Each connection that has ended keeps its port for a minute (TIME_WAIT). After some 28,000 there is none left that
 * need not be sought for, and the client has seven times as much to do: HAProxy falls from 4,500 messages/s to 600, and
 * so does everybody. In a namespace of ours the kernel keeps next to none.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

const mark = 'BENCH_NETWORK'
const setUp = 'ip link set lo up && echo 500 >/proc/sys/net/ipv4/tcp_max_tw_buckets'

/** Whether we are in one. */
export const isOwnNetwork = process.env[mark] === 'own'

/**
 * Runs the present script in one, with the same arguments; whatever would end us ends that.
 *
 * @returns Its exit code; null when that is not possible here.
 */
export async function runInOwnNetwork(): Promise<number | null> {
  const inside = (...command: string[]) => [
    ...['--net', 'sh', '-c', `${setUp} && exec "$@"`, 'sh', ...command],
  ]
  if (spawnSync('unshare', inside('true')).status !== 0) return null
  const own = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const child = spawn('unshare', inside(...own), {
    stdio: 'inherit',
    env: { ...process.env, [mark]: 'own' },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => child.kill(signal))
  }
  await once(child, 'close')
  return child.exitCode ?? 1
}
