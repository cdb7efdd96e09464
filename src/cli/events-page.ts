/** docs/events.md: everything that the log can say, from the table of events. */
import { events } from '../observe/events.ts'

const intro = `\
# Events

One JSON object a line on standard output, each with \`level\`, \`time\` and \`event\`. Names are never renamed or
used again for something else. Those that strangers can cause at will are written once in the time given,
with \`alsoHappened\` for the others; all are counted (\`treacle_events_total\`). [Watching it](watching.md) says
which want an alarm.`

export function eventsPage(): string {
  const rows = Object.entries(events).map(([name, { level, atMostEveryMs, about }]) => {
    const often = atMostEveryMs === undefined ? '' : `${atMostEveryMs / 60_000} min`
    return `| \`${name}\` | ${level} | ${often} | ${about} |`
  })
  return `${intro}\n\n| event | level | once in | what it says |\n|---|---|---|---|\n${rows.join('\n')}\n`
}
