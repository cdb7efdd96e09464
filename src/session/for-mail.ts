/** What a client needs that sends mail. Thousands only wait for their greeting, and have none of it. */
import type { Leaving } from '../core/leaving.ts'
import type { Backend } from '../relay/backend.ts'
import { Delivery } from '../relay/delivery.ts'
import type { Introduction } from '../relay/introduce.ts'
import { LastWord, type LastWordParts } from './last-word.ts'
import { LoggingIn, type LoggingInParts } from './logging-in.ts'
import type { Visit } from './patience.ts'
import { Reckoning, type ReckoningParts } from './reckoning.ts'
import type { Screening } from './screening.ts'

export interface ForMailParts extends ReckoningParts, LastWordParts, LoggingInParts {
  readonly backend: Backend
}

/** The connection. */
export interface MailVisit extends Visit {
  readonly screening: Screening
  readonly leaving: Leaving
}

export interface ForMail {
  readonly reckoning: Reckoning
  readonly loggingIn: LoggingIn
  readonly delivery: Delivery
  readonly lastWord: LastWord
}

/** @param introduction Who the client is, by now. */
export function forMail(
  visit: MailVisit,
  parts: ForMailParts,
  introduction: () => Introduction,
): ForMail {
  return {
    reckoning: new Reckoning(visit, parts),
    loggingIn: new LoggingIn(visit, parts),
    delivery: new Delivery(parts.backend, introduction, visit.leaving),
    lastWord: new LastWord(visit.client.ip, parts),
  }
}
