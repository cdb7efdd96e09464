/**
 * Sockets that systemd listens on for us (sd_listen_fds(3)), so that the port needs no privilege of
 * ours, and clients that come during a restart wait instead of being turned away.
 */

/** The first descriptor that is handed over; those before it are the standard streams. */
const firstFd = 3
/** More than anybody has addresses; a number from outside needs a bound. */
const fdsMax = 64

export interface Inherited {
  readonly fd: number
  /** Clients begin with TLS at once: systemd calls the socket "smtps". */
  readonly tls: boolean
}

/**
 * @param env LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES.
 * @param pid Our own; sockets that were meant for another process are left alone.
 * @returns None when nobody listens for us.
 */
export function inheritedSockets(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): Inherited[] {
  if (env.LISTEN_PID !== String(pid)) return []
  const count = /^\d{1,4}$/.test(env.LISTEN_FDS ?? '') ? Number(env.LISTEN_FDS) : 0
  const names = (env.LISTEN_FDNAMES ?? '').split(':')
  return Array.from({ length: Math.min(count, fdsMax) }, (_, index) => ({
    fd: firstFd + index,
    tls: names[index] === 'smtps',
  }))
}
