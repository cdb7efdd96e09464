/** What a client needs that sends mail. Thousands only wait for their greeting, and have none of it. */
import type { Backend } from '../relay/backend.ts'
import { Delivery } from '../relay/delivery.ts'
import type { Introduction } from '../relay/introduce.ts'
import { LastWord, type LastWordParts } from './last-word.ts'
import { LoggingIn, type LoggingInParts } from './logging-in.ts'
import type { MailVisit } from './patience.ts'
import { Reckoning, type ReckoningParts } from './reckoning.ts'

export interface ForMailParts extends ReckoningParts, LastWordParts, LoggingInParts {
  readonly backend: Backend
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
  const delivery = new Delivery(parts.backend, introduction, visit.leaving)
  return {
    reckoning: new Reckoning(visit, parts, () => delivery.park()),
    loggingIn: new LoggingIn(visit, parts),
    delivery,
    lastWord: new LastWord(visit.client.ip, parts),
  }
}
