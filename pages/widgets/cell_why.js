// A small chart of α(λ) for every candidate edge, nodes down and inputs across; large ones for the edge that is looked at.
// All follow λ and the edge pointed at, wherever on the page these change.

const views = new WeakMap()

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".why")
  const style = getComputedStyle(root)
  const [red, green, blue] = (style.backgroundColor.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number)
  const dark = Number(0.299 * red + 0.587 * green + 0.114 * blue < 128)
  const state = `${data.table.id} ${data.form} ${dark}`
  let view = views.get(parentElement)
  if (view?.state !== state) {
    const edge = view?.edge
    view?.stop()
    view = createView(root, data.table, data.form, dark)
    view.state = state
    views.set(parentElement, view)
    view.look(edge ?? data.table.start)
  }
  view.tell = (edge) => setStateValue("edge", edge)
  return () => {
    view.stop()
    views.delete(parentElement)
  }
}

function createView(root, table, form, dark) {
  const part = {}
  for (const element of root.querySelectorAll("[data-part]")) part[element.dataset.part] = element
  root.dataset.theme = dark ? "dark" : "light"
  const published = form === "published"
  const view = { edge: -1, lam: 0 }
  const panels = drawMatrix(part.matrix, table, published, dark)
  part.edge.replaceChildren(...table.edges.map(({ name }, i) => make("option", { value: i }, name)))
  part.edge.onchange = () => view.choose(Number(part.edge.value))
  panels.forEach(({ box }, edge) => {
    box.onclick = () => view.choose(edge)
    box.onpointerenter = () => announceEdge(edge)
    box.onpointerleave = () => announceEdge(-1)
  })
  let details = []
  view.choose = (edge) => {
    view.look(edge)
    view.tell(edge)
  }
  view.look = (edge) => {
    view.edge = edge
    part.edge.value = edge
    panels.forEach(({ box }, i) => box.classList.toggle("looked", i === edge))
    const slot = table.slots.findIndex(({ edges }) => edges.includes(edge))
    part.alphaTitle.textContent = `Operation weights softmax α(λ) of ${table.edges[edge].name}: the highest is taken`
    part.betaTitle.textContent = `Input weights softmax β(λ) of ${table.slots[slot].name}: the ${table.kept === 1 ? "highest is" : "two highest are"} kept`
    const inputs = table.slots[slot].edges.map((e) => table.parents[table.edges[e].parent])
    details = [
      drawDetail(part.alpha, table, table.operations, (logits) => operationsOf(table, logits, edge), form, dark),
      drawDetail(part.beta, table, inputs, (logits) => inputsOf(table, logits, slot), form, dark),
    ]
    view.follow(view.lam)
  }
  view.follow = (lam) => {
    view.lam = lam
    root.style.setProperty("--at", lam / table.lambdaMax)
    const winners = winnersAt(table, lam, published)
    for (const [edge, panel] of panels.entries()) panel.show(winners.best[edge], winners.kept.has(edge))
    for (const detail of details) detail.show(winners.logits)
    if (view.edge >= 0) sayChosen(part.said, table, winners, view.edge, lam)
    root.dataset.lam = lam
  }
  const stops = [
    onLam(view.follow),
    onEdge((edge) => {
      panels.forEach(({ box }, i) => box.classList.toggle("lit", i === edge))
      if (edge >= 0 && edge !== view.edge) view.look(edge)
    }),
  ]
  view.stop = () => stops.forEach((stop) => stop())
  return view
}

function sayChosen(said, table, { best, kept, logits }, edge, lam) {
  const weight = operationsOf(table, logits, edge)[best[edge]]
  const state = kept.has(edge) ? "kept" : "not kept"
  said.textContent = `at λ = ${lam.toFixed(2)}: ${state}, ${table.operations[best[edge]].word} leads with ${weight.toFixed(2)}`
}

function drawMatrix(matrix, table, published, dark) {
  const panels = []
  const widest = Math.max(...table.slots.map(({ edges }) => edges.length))
  matrix.style.setProperty("--columns", widest)
  const heads = [make("span", {}), ...table.parents.map(({ word }) => make("span", { class: "head" }, `from ${word}`))]
  const rows = table.slots.flatMap(({ name, edges }) => {
    const row = edges.map((edge) => {
      const panel = drawPanel(table, edge, published, dark)
      panels[edge] = panel
      return panel.box
    })
    const rest = Array.from({ length: widest - edges.length }, () => make("span", {}))
    return [make("span", { class: "head row" }, name), ...row, ...rest]
  })
  matrix.replaceChildren(...heads, ...rows)
  return panels
}

function drawPanel(table, edge, published, dark) {
  const box = make("button", { class: "panel", tabindex: -1, title: table.edges[edge].name })
  const svg = shape("svg", { viewBox: "0 0 100 40", preserveAspectRatio: "none", "aria-hidden": true })
  const weights = (logits) => operationsOf(table, logits, edge)
  for (const [index, path] of linesOf(table, weights, table.operations.length, published, 100, 40).entries()) {
    svg.append(shape("path", { d: path, stroke: table.operations[index].colors[dark] }))
  }
  const label = make("span", { class: "winner" })
  box.append(svg, make("i", { class: "cursor" }), label)
  let shown = ""
  const show = (best, kept) => {
    const now = `${best} ${kept}`
    if (now === shown) return
    shown = now
    box.classList.toggle("kept", kept)
    label.textContent = table.operations[best].word
    box.setAttribute("aria-label", `${table.edges[edge].name}: ${kept ? "kept" : "not kept"}, ${label.textContent} leads`)
  }
  return { box, show }
}

function drawDetail(place, table, choices, weightsOf, form, dark) {
  const [wide, high] = [100, 100]
  const svg = shape("svg", { viewBox: `0 0 ${wide} ${high}`, preserveAspectRatio: "none", "aria-hidden": true })
  const forms = form === "both" ? [true, false] : [form === "published"]
  for (const published of forms) {
    const lines = linesOf(table, weightsOf, choices.length, published, wide, high)
    const group = shape("g", { class: published && form === "both" ? "ghost" : "line" })
    lines.forEach((d, i) => group.append(shape("path", { d, stroke: choices[i].colors[dark], "stroke-dasharray": choices[i].dash })))
    svg.append(group)
  }
  const plot = make("div", { class: "plot" })
  const knots = table.positions.filter((knot) => knot >= 0 && knot <= table.lambdaMax)
  plot.append(svg, make("i", { class: "cursor" }), ...knots.map((knot) => placed("knot", knot / table.lambdaMax, "◆")))
  for (let value = 0; value <= table.lambdaMax; value += table.lambdaMax > 8 ? 4 : 1) {
    plot.append(placed("tick", value / table.lambdaMax, value))
  }
  for (const share of [0, 0.5, 1]) {
    const level = make("span", { class: "level" }, share)
    level.style.top = `${100 * (1 - share)}%`
    plot.append(level)
  }
  plot.append(make("span", { class: "axis" }, "requested λ"))
  const rows = choices.map(({ word, colors, dash }) => {
    const row = make("tr", {})
    const sample = shape("svg", { viewBox: "0 0 26 6", class: "sample", "aria-hidden": true })
    sample.append(shape("path", { d: "M0,3h26", stroke: colors[dark], "stroke-dasharray": dash }))
    const value = make("td", { class: "value" })
    const key = make("td", {})
    key.append(sample)
    row.append(key, make("th", { scope: "row" }, word), value)
    return { row, value }
  })
  const legend = make("table", {})
  legend.append(...rows.map(({ row }) => row))
  place.className = "detail"
  place.replaceChildren(plot, legend)
  const show = (logits) => {
    const weights = weightsOf(logits)
    const most = indexOfMost(weights)
    rows.forEach(({ row, value }, i) => {
      value.textContent = weights[i].toFixed(3)
      row.classList.toggle("most", i === most)
    })
  }
  return { show }
}

// One path per choice over λ from 0 to Λ, cut where the form jumps.
function linesOf(table, weightsOf, count, published, wide, high) {
  const paths = Array.from({ length: count }, () => "")
  stretchesOf(table, published).forEach((grid, stretch) => {
    grid.forEach((lam, step) => {
      const move = step === 0 && (published || stretch === 0) ? "M" : "L"
      const x = ((lam / table.lambdaMax) * wide).toFixed(2)
      weightsOf(logitsAt(table, lam, published)).forEach((weight, i) => {
        paths[i] += `${move}${x},${((1 - weight) * high).toFixed(2)}`
      })
    })
  })
  return paths
}

function placed(name, share, text) {
  const element = make("span", { class: name }, text)
  element.style.left = `${100 * share}%`
  return element
}

function make(tag, attributes, text = null) {
  return dressed(document.createElement(tag), attributes, text)
}

function shape(tag, attributes, text = null) {
  return dressed(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, text)
}

function dressed(element, attributes, text) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  if (text !== null) element.textContent = text
  return element
}
