/**
 * held.ts CONFIG: Treacle with a greet pause of an hour, which no config may ask for, so that those
 * who wait for their greeting can be measured at leisure.
 */
import { dirname } from 'node:path'
import { App } from '../src/app.ts'
import { readConfig } from '../src/config/files.ts'

const [file = 'treacle.toml'] = process.argv.slice(2)
const read = readConfig(file, {})
const config = { ...read, greeting: { ...read.greeting, pause: 3_600_000 } }
const app = new App({ config, file, folder: dirname(file) })
process.on('SIGTERM', () => void app.stop())
await app.start()
