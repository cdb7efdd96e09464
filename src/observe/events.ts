/**
 * Everything that Treacle can say about itself: names, fields and how loud.
 *
 * Log lines, the main log and counters follow from this table. A name is never renamed or used
 * again for something else: other people's scripts read them.
 */
import type { Ms } from '../core/clock.ts'
import type { Ledger } from '../core/ledger.ts'

export interface EventFields {
  'server.listening': { readonly address: string }
  'server.draining': { readonly connections: number; readonly graceMs: Ms }
  'server.stopped': { readonly connections: number }
  'config.reloaded': { readonly file: string }
  'config.rejected': { readonly why: string }
  'config.needs-restart': { readonly settings: string }
  'state.unavailable': { readonly why: string }
  'admin.unavailable': { readonly address: string; readonly why: string }
  connection: { readonly ledger: Ledger }
  'recipient.delayed': Delayed
  'recipient.left': Left
  'message.again': { readonly client: string; readonly sender: string }
  'memory.short': {
    readonly usedBytes: number
    readonly budgetBytes: number
    readonly held: number
  }
  'memory.eased': { readonly usedBytes: number }
  'guard.tripped': {
    readonly client: string
    readonly owners: readonly string[]
    readonly remedy: string
  }
  'guard.clear': { readonly client: string }
  'guard.suspended': { readonly client: string }
  'gate.turned-away': { readonly client: string; readonly why: string }
  'content.faulty': { readonly client: string; readonly fault: string; readonly mended: boolean }
  'client.too-soon': { readonly client: string; readonly command: string }
  'client.cut-off': { readonly client: string; readonly why: string }
  'gate.bad-proxy-header': { readonly peer: string; readonly why: string }
  'client.introduced': { readonly client: string; readonly peer: string }
  'identity.unavailable': { readonly client: string; readonly why: string }
  'lookups.spent': { readonly client: string }
  'reason.failed': { readonly reason: string; readonly why: string }
  'delay.slots-full': { readonly held: number }
  'dns-list.set-aside': { readonly list: string; readonly why: string }
  'dns-list.back': { readonly list: string }
  'backend.down': { readonly why: string }
  'backend.up': { readonly address: string }
  'backend.open-relay-risk': { readonly why: string }
  'backend.in-the-clear': { readonly address: string }
  'backend.tls-missing': { readonly address: string }
  'login.failed': { readonly client: string; readonly count: number }
  'login.refused': { readonly client: string }
  'tls.renewed': { readonly names: readonly string[] }
  'tls.rejected': { readonly why: string }
  'tls.expired': { readonly subject: string; readonly since: string }
  'tls.failed': { readonly client: string; readonly why: string }
  'our-fault': { readonly where: string; readonly stack: string }
}

/** A recipient that was answered, or given up, after a wait. */
export interface Delayed {
  readonly client: string
  /** Forward-confirmed; "" where there is none. */
  readonly hostname: string
  readonly helo: string
  readonly reasons: readonly string[]
  readonly sender: string
  readonly recipient: string
  readonly plannedMs: Ms
}

/** A client that hung up in the middle of a wait. */
export interface Left {
  readonly client: string
  readonly hostname: string
  readonly helo: string
  /** Since the connection was accepted. */
  readonly connectedMs: Ms
}

export type EventName = keyof EventFields

interface EventKind {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** Where strangers can make it happen at will, it is written once in this time and counted always. */
  readonly atMostEveryMs?: Ms
  readonly about: string
}

const minute = 60_000
const hour = 60 * minute

export const events: Readonly<Record<EventName, EventKind>> = {
  'server.listening': { level: 'info', about: 'Clients can connect to this address now.' },
  'server.draining': {
    level: 'info',
    about: 'Shutdown has begun; messages under way may finish until the grace period is over.',
  },
  'server.stopped': { level: 'info', about: 'Everything is closed; connections were cut off.' },
  'config.reloaded': { level: 'info', about: 'New connections use the configuration just read.' },
  'config.needs-restart': { level: 'warn', about: 'These settings wait for a restart.' },
  'config.rejected': { level: 'error', about: 'The configuration is wrong; the old one stays.' },
  'state.unavailable': { level: 'warn', about: 'Something could not be remembered; mail goes on.' },
  'admin.unavailable': {
    level: 'warn',
    about: 'The admin server cannot listen; mail goes on, health checks do not.',
  },
  connection: { level: 'info', about: 'A connection ended; its ledger.' },
  'recipient.delayed': {
    level: 'debug',
    about: 'A recipient was answered, or left, after a wait.',
  },
  'recipient.left': { level: 'debug', about: 'The client hung up in the middle of a wait.' },
  'message.again': {
    level: 'info',
    about: 'A message came again whose 250 the client had not heard; it was not delivered twice.',
  },
  'memory.short': {
    level: 'warn',
    atMostEveryMs: minute,
    about:
      'We use more memory than limits.memory_max; waits are cut short and suspicious clients hear 421.',
  },
  'memory.eased': {
    level: 'info',
    atMostEveryMs: minute,
    about: 'Memory in use is well below limits.memory_max again.',
  },
  'guard.tripped': {
    level: 'error',
    about:
      'Clients of many owners seem to have one private address: something hides their own. Nobody is ' +
      'judged by that address any more.',
  },
  'guard.clear': { level: 'info', about: 'An address no longer seems to hide clients.' },
  'guard.suspended': {
    level: 'debug',
    about: 'A client came in that is not judged by its address, since that is not its own.',
  },
  'gate.turned-away': {
    level: 'info',
    atMostEveryMs: minute,
    about: 'A client was sent away with 421: it was over a limit of the door.',
  },
  'content.faulty': {
    level: 'info',
    atMostEveryMs: minute,
    about: 'A message had bare newlines, NULs or lines that are too long; see [data].',
  },
  'client.too-soon': {
    level: 'info',
    atMostEveryMs: minute,
    about: 'A client sent more before the reply to a command that has to be waited for.',
  },
  'client.cut-off': {
    level: 'info',
    atMostEveryMs: minute,
    about: 'A client was closed with 421: over a limit, too slow, or no client of a mail server.',
  },
  'gate.bad-proxy-header': {
    level: 'info',
    atMostEveryMs: minute,
    about: 'A proxy did not say who the client is, as it must; the connection was closed.',
  },
  'client.introduced': {
    level: 'debug',
    about: 'A peer said by XCLIENT whom it speaks for.',
  },
  'identity.unavailable': {
    level: 'info',
    atMostEveryMs: minute,
    about:
      'The DNS did not tell the names of a client, which proves nothing: it is as if it had one.',
  },
  'lookups.spent': {
    level: 'warn',
    atMostEveryMs: minute,
    about: 'A connection has asked the DNS as often as it may; the rest counts as unavailable.',
  },
  'reason.failed': {
    level: 'warn',
    atMostEveryMs: minute,
    about: 'A reason threw or took too long; it was taken as not found.',
  },
  'delay.slots-full': {
    level: 'warn',
    atMostEveryMs: minute,
    about: 'All places for waiting are taken; the least suspicious wait less.',
  },
  'dns-list.set-aside': { level: 'warn', about: 'A DNS list failed its test and is not used.' },
  'dns-list.back': { level: 'info', about: 'A DNS list passed its test again and is used.' },
  'backend.down': {
    level: 'error',
    atMostEveryMs: minute,
    about: 'No address of the back end could be reached; clients hear 451 4.4.1.',
  },
  'backend.up': { level: 'info', about: 'The back end can be reached again.' },
  'backend.open-relay-risk': {
    level: 'error',
    atMostEveryMs: minute,
    about: 'The back end would relay for strangers through us; clients hear 451 4.3.5.',
  },
  'backend.in-the-clear': {
    level: 'info',
    atMostEveryMs: hour,
    about: 'A client came under TLS; on our own host or network its mail goes on without.',
  },
  'backend.tls-missing': {
    level: 'error',
    atMostEveryMs: minute,
    about:
      'A client came under TLS, and the way to the back end is public and has none; it heard 451 4.3.5.',
  },
  'login.failed': {
    level: 'info',
    about: 'A login was wrong, as the back end says; the how manieth of this connection.',
  },
  'login.refused': {
    level: 'warn',
    atMostEveryMs: minute,
    about: 'Too many logins have failed, or wait their turn; the client heard 421.',
  },
  'tls.renewed': { level: 'info', about: 'New certificates are in use, for these names.' },
  'tls.rejected': { level: 'error', about: 'A new certificate is wrong; the one before stays.' },
  'tls.expired': { level: 'warn', about: 'A certificate is out of date; it is used all the same.' },
  'tls.failed': {
    level: 'info',
    atMostEveryMs: minute,
    about: 'A client began TLS and did not get through with it; the connection was closed.',
  },
  'our-fault': {
    level: 'error',
    about: 'A bug in Treacle; the client heard 421 4.3.0. Please report it with the stack.',
  },
}

/** Every event name with a count of 0, so that the first one is visible to whoever watches. */
export function zeroCounts(): Record<EventName, number> {
  const counts: Partial<Record<EventName, number>> = {}
  for (const name of Object.keys(events)) if (isEventName(name)) counts[name] = 0
  return counts as Record<EventName, number>
}

function isEventName(name: string): name is EventName {
  return name in events
}
