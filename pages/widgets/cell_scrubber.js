// The λ scrubber: the exact table of cells lives here, so every movement of the handle redraws the cell without the
// server. Python hears of λ on release alone. The DOM owns λ; Python's value is applied only when `rev` changes.

const mounted = new WeakMap()

export default function (component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component
  const root = parentElement.querySelector(".scrubber")
  let view = mounted.get(parentElement)
  if (!view || view.table.id !== data.table.id) {
    const old = view
    old?.stop()
    view = createView(root, data.table)
    mounted.set(parentElement, view)
    if (old && old.rev === data.rev) view.takeOver(old)
  }
  view.tell = (lam) => setStateValue("lam", lam)
  view.trigger = setTriggerValue
  view.dye()
  if (view.rev !== data.rev) {
    view.rev = data.rev
    view.reported = data.value
    view.show(data.value)
    view.announce()
  }
  return () => {
    view.stop()
    mounted.delete(parentElement)
  }
}

function createView(root, table) {
  const part = {}
  for (const element of root.querySelectorAll("[data-part]")) part[element.dataset.part] = element
  const top = table.lambdaMax
  const view = { table, lam: 0, index: -1, rev: null, reported: null, draws: 0, timer: 0, frame: 0 }
  part.range.max = part.number.max = top
  part.endLambda.textContent = `λ = Λ = ${top}`
  part.total.textContent = `of ${top}`
  part.unpin.hidden = table.reference.name === "α*"
  drawStrip(part, table)
  const edges = drawCell(part.cell, table)
  const lit = linkEdges(view, part, edges)

  view.show = (lam, source = null) => {
    const began = performance.now()
    view.lam = Math.min(top, Math.max(0, lam))
    const index = intervalAt(table.intervals, view.lam, view.index)
    if (source !== part.range) part.range.value = view.lam
    if (source !== part.number) part.number.value = short(view.lam)
    part.track.style.setProperty("--at", view.lam / top)
    drawNumbers(part, table, index, view.lam)
    if (index !== view.index) {
      view.index = index
      drawEdges(edges, table.intervals[index].marks, table.edges)
      drawInterval(part, table, index)
      lit.describe()
    }
    announceLam(view.lam)
    stampDraw(root, view, began)
  }
  view.takeOver = ({ lam, rev, reported }) => {
    Object.assign(view, { rev, reported })
    view.show(lam)
    view.report(150) // what the old view had not reported yet
  }
  view.report = (wait = 0) => {
    clearTimeout(view.timer)
    view.timer = setTimeout(() => {
      view.announce()
      if (view.lam === view.reported) return
      view.reported = view.lam
      view.tell(view.lam)
    }, wait)
  }
  view.announce = () => {
    const { shared, sentence } = table.intervals[view.index]
    part.status.textContent = `λ ${short(view.lam)}: ${shared} of ${top} edges shared with α*. ${sentence}`
  }
  view.dye = () => dyeEdges(root, table)
  view.jump = (direction) => {
    const next = view.index + direction
    const target = next < 0 ? 0 : next >= table.intervals.length ? top : startOf(table.intervals[next])
    view.go(target)
  }
  view.go = (lam) => {
    view.pause()
    view.show(lam)
    view.report(150)
  }
  addPlay(view, part, top)
  view.stop = () => {
    clearTimeout(view.timer)
    view.pause()
    lit.stop()
  }
  listen(view, part, top)
  return view
}

function listen(view, part, top) {
  const fine = top / 400
  const keys = { Home: () => view.go(0), End: () => view.go(top) }
  for (const name of ["ArrowRight", "ArrowUp"]) keys[name] = (e) => (e.shiftKey ? view.go(view.lam + fine) : view.jump(1))
  for (const name of ["ArrowLeft", "ArrowDown"]) keys[name] = (e) => (e.shiftKey ? view.go(view.lam - fine) : view.jump(-1))
  keys.PageUp = () => view.go(view.lam + top / 10)
  keys.PageDown = () => view.go(view.lam - top / 10)
  part.range.onkeydown = (event) => {
    if (!keys[event.key] || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    keys[event.key](event)
  }
  part.range.oninput = () => {
    view.pause()
    view.show(round(part.range.valueAsNumber, top), part.range)
  }
  part.range.onchange = () => view.report()
  part.number.oninput = () => {
    view.pause()
    if (Number.isFinite(part.number.valueAsNumber)) view.show(part.number.valueAsNumber, part.number)
  }
  part.number.onchange = () => {
    view.show(view.lam)
    view.report()
  }
  part.previous.onclick = () => view.jump(-1)
  part.next.onclick = () => view.jump(1)
  part.pin.onclick = () => {
    view.report()
    view.trigger("pin", view.lam)
  }
  part.unpin.onclick = () => view.trigger("unpin", true)
  part.strip.onclick = (event) => {
    const box = part.strip.getBoundingClientRect()
    view.go(round(((event.clientX - box.left) / box.width) * top, top))
    part.range.focus()
  }
}

// Plays a steady sweep to Λ; with reduced motion, one real change every 1.2 s instead.
function addPlay(view, part, top) {
  const playing = (on) => {
    part.play.dataset.on = on
    part.play.setAttribute("aria-label", on ? "Pause" : "Play from here to Λ")
  }
  const still = matchMedia("(prefers-reduced-motion: reduce)")
  let last = 0
  const tick = (now) => {
    const step = still.matches ? 1200 : 0
    if (now - last >= step) {
      const from = view.index + 1 < view.table.intervals.length ? view.table.intervals[view.index + 1].lo : top
      view.show(still.matches ? from : view.lam + ((now - last) / 10000) * top)
      last = now
    }
    if (view.lam >= top) view.pause(true)
    else view.frame = requestAnimationFrame(tick)
  }
  view.pause = (tell = false) => {
    if (!view.frame) return
    cancelAnimationFrame(view.frame)
    view.frame = 0
    playing(false)
    if (tell) view.report()
  }
  part.play.onclick = () => {
    if (view.frame) return view.pause(true)
    if (view.lam >= top) view.show(0)
    last = performance.now()
    playing(true)
    view.frame = requestAnimationFrame(tick)
  }
  playing(false)
}

function intervalAt(intervals, lam, near) {
  if (near >= 0 && intervals[near].lo <= lam && lam < intervals[near].hi) return near
  let low = 0
  let high = intervals.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (intervals[middle].lo <= lam) low = middle
    else high = middle - 1
  }
  return low
}

// The first λ with four decimals inside an interval: exact where the cell changes, short in links and on screen.
function startOf({ lo, hi }) {
  const rounded = Math.ceil(lo * 1e4) / 1e4
  return rounded < hi ? rounded : (lo + hi) / 2
}

const round = (lam, top) => Math.round((lam / top) * 1000) * (top / 1000)
const short = (lam) => String(Math.round(lam * 1e4) / 1e4)

function softAt({ lambda, count }, lam) {
  let right = 1
  while (right < lambda.length - 1 && lambda[right] < lam) right += 1
  const u = (lam - lambda[right - 1]) / (lambda[right] - lambda[right - 1])
  return count[right - 1] + u * (count[right] - count[right - 1])
}

function drawNumbers(part, table, index, lam) {
  const { shared } = table.intervals[index]
  const error = Math.abs(lam - shared)
  const off = error > 0.5
  part.soft.textContent = softAt(table.soft, lam).toFixed(2)
  part.target.dataset.off = off
  part.target.textContent = off ? `▲ off target by ${error.toFixed(2)}` : `✓ on target (|λ − m| = ${error.toFixed(2)})`
  part.range.setAttribute("aria-valuetext", `λ ${lam.toFixed(2)}, ${shared} of ${table.lambdaMax} edges shared with α*`)
}

function drawInterval(part, table, index) {
  const { lo, hi, key, shared, sentence, counts, trained } = table.intervals[index]
  const last = index === table.intervals.length - 1
  part.shared.textContent = shared
  part.key.textContent = key
  const digits = hi - lo < 0.01 ? 6 : 3
  part.interval.textContent = `[${lo.toFixed(digits)}, ${hi.toFixed(digits)}${last ? "]" : ")"}`
  part.count.textContent = `stretch ${index + 1} of ${table.intervals.length}`
  part.trained.textContent = trained ? `● retrained with ${trained} seed${trained > 1 ? "s" : ""}` : "○ not retrained"
  part.counts.textContent = `Beside ${table.reference.name}${table.reference.name === "α*" ? "" : ` (${table.reference.key})`}: ${counts}.`
  part.sentence.textContent = sentence.replace(/(node|input|sep|dil) (?=\d)/g, "$1\u00a0") // never apart at a line's end
  for (const bar of part.strip.children) bar.classList.toggle("here", Number(bar.dataset.index) === index)
}

function stampDraw(root, view, began) {
  view.draws += 1
  Object.assign(root.dataset, {
    draws: view.draws,
    lam: view.lam,
    key: view.table.intervals[view.index].key,
    took: (performance.now() - began).toFixed(2),
  })
}
