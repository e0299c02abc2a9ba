// browser: opens a report in a headless Chromium and says, as one JSON object, what happened there.
//   node browser.mjs PAGE [--noscript] [--shot FILE.png] [--width N] [--height N] [--first SCRIPT] [--media print] [--pdf FILE.pdf] [--run EXPRESSION]... [--wait]
// ready_ms: from the navigation until the whole table answers to a filter (data-ready of explorer.js), null without scripts;
// paint_ms, first_ms: until something of the page, until the table's first rows are there; cpu_s: processor time of the process that
// draws the page, then; requests: every address that
// was asked for (--first: a script that runs before the page's); outside: those that are no file: and no data:; dialogs, errors: of scripts; refused: what the policy refused; run:
// the values of the expressions, evaluated one after the other. Chromium is spoken to over its pipe [DevTools protocol]; no package.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const options = { run: [], width: 1280, height: 900 }
for (let i = 2; i < process.argv.length; i++) {
  const word = process.argv[i]
  if (word === '--noscript') options.noscript = true
  else if (word === '--run') options.run.push(process.argv[++i])
  else if (word.startsWith('--')) options[word.slice(2)] = process.argv[++i]
  else options.page = word
}
const profile = mkdtempSync(join(tmpdir(), 'kvali-browser-'))
const browser = spawn(process.env.CHROMIUM || 'chromium', ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
  '--disable-extensions', '--disable-background-networking', '--no-first-run', '--remote-debugging-pipe', `--user-data-dir=${profile}`,
  `--window-size=${options.width},${options.height}`, 'about:blank'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], detached: true })
const result = { page: options.page, ready_ms: null, load_ms: null, requests: [], outside: [], dialogs: [], errors: [], refused: [], run: [] }

let next = 1, rest = ''
const waiting = new Map(), listeners = []
browser.stdio[4].on('data', (data) => {
  rest += data
  for (let end; (end = rest.indexOf('\0')) >= 0; rest = rest.slice(end + 1)) {
    const message = JSON.parse(rest.slice(0, end))
    if (message.id) waiting.get(message.id)?.(message)
    else listeners.forEach((listen) => listen(message))
  }
})
let session
function call(method, params = {}, own = session) {
  const id = next++
  browser.stdio[3].write(JSON.stringify({ id, method, params, sessionId: own }) + '\0')
  return new Promise((done, fail) => waiting.set(id, (m) => (m.error ? fail(new Error(method + ': ' + m.error.message)) : done(m.result))))
}
function once(method) {
  return new Promise((done) => listeners.push((m) => { if (m.method === method) done(m.params) }))
}
const value = async (expression) => {
  const { result: got, exceptionDetails } = await call('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true })
  return exceptionDetails ? 'ERROR ' + (exceptionDetails.exception?.description || exceptionDetails.text) : got.value
}

async function main() {
  const { targetInfos } = await call('Target.getTargets', {}, undefined)
  const target = targetInfos.find((t) => t.type === 'page')
  ;({ sessionId: session } = await call('Target.attachToTarget', { targetId: target.targetId, flatten: true }, undefined))
  listeners.push((m) => {
    if (m.method === 'Network.requestWillBeSent') {
      const url = m.params.request.url
      result.requests.push(url.slice(0, 200))
      if (!url.startsWith('file:') && !url.startsWith('data:')) result.outside.push(url.slice(0, 200))
    } else if (m.method === 'Page.javascriptDialogOpening') {
      result.dialogs.push(m.params.message)
      call('Page.handleJavaScriptDialog', { accept: true })
    } else if (m.method === 'Runtime.exceptionThrown') result.errors.push(m.params.exceptionDetails.exception?.description || m.params.exceptionDetails.text)
    else if (m.method === 'Log.entryAdded') (m.params.entry.source === 'security' ? result.refused : result.errors).push(m.params.entry.text)
  })
  for (const domain of ['Page', 'Network', 'Runtime', 'Log', 'Performance']) await call(domain + '.enable')
  if (options.noscript) await call('Emulation.setScriptExecutionDisabled', { value: true })
  if (options.media) await call('Emulation.setEmulatedMedia', { media: options.media })
  if (options.first) await call('Page.addScriptToEvaluateOnNewDocument', { source: options.first })
  const loaded = once('Page.loadEventFired'), begin = performance.now()
  await call('Page.navigate', { url: pathToFileURL(resolve(options.page)).href })
  await loaded
  result.load_ms = Math.round(performance.now() - begin)
  if (!options.noscript)
    for (let i = 0; i < 1200; i++) {
      const ready = await value('(() => { const e = document.getElementById("explorer"); return !e || e.hidden || !document.getElementById("x-missing").hidden ? "none" : e.dataset.ready || "" })()')
      if (ready === 'none') break
      if (ready) {
        result.ready_ms = Number(ready)
        result.wall_ms = Math.round(performance.now() - begin)
        result.first_ms = Number(await value('document.getElementById("explorer").dataset.first'))
        result.paint_ms = Math.round(await value('performance.getEntriesByName("first-contentful-paint")[0]?.startTime'))
        result.cpu_s = (await call('Performance.getMetrics')).metrics.find((m) => m.name === 'ProcessTime').value
        break
      }
      await new Promise((done) => setTimeout(done, 25))
    }
  for (const expression of options.run) result.run.push(await value(expression))
  if (options.shot) {
    const { data } = await call('Page.captureScreenshot', { format: 'png', captureBeyondViewport: options.whole !== undefined })
    writeFileSync(options.shot, Buffer.from(data, 'base64'))
  }
  if (options.pdf) {
    const { data } = await call('Page.printToPDF', { preferCSSPageSize: true, printBackground: true })
    writeFileSync(options.pdf, Buffer.from(data, 'base64'))
  }
  console.log(JSON.stringify(result))
}
const limit = setTimeout(() => end(new Error('nothing happened for two minutes')), 120000)
function end(error) {
  clearTimeout(limit)
  if (error) console.error(String(error))
  try { process.kill(-browser.pid, 'SIGKILL') } catch { /* it has ended */ }
  setTimeout(() => { rmSync(profile, { recursive: true, force: true, maxRetries: 5 }); process.exit(error ? 1 : 0) }, 300)
}
browser.on('error', end)
main().then(() => end(), end)
