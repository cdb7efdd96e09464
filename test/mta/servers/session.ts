/**
 * Processes by the number of their session, from /proc.
 *
 * The number is the process id of the one that began it (setsid), and the kernel gives it to nobody
 * else while a member lives. So it finds all that a server has forked and nothing that is not ours.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** Living processes of a session. */
export function sessionMembers(session: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map(Number).filter((pid) => sessionOf(pid) === session)
}

/** Whether a process lives. One that has died and waits for its parent to notice does not. */
export function isAlive(pid: number): boolean {
  return sessionOf(pid) !== undefined
}

/** Sends a signal to each of them that still lives. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // it ended meanwhile
    }
  }
}

function sessionOf(pid: number): number | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined // it ended meanwhile
  }
  // proc(5): pid (name) state ppid pgrp session ...; the name may hold anything.
  const [state, , , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return state === 'Z' || state === 'X' ? undefined : Number(session)
}
