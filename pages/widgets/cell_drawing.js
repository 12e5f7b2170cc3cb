// Draws what the table describes: the strip of stretches, the cell's fixed parts once, its edges again and again.
// Joined in front of cell_scrubber.js (and behind linked.js) into one module.

const SVG = "http://www.w3.org/2000/svg"

function drawStrip(part, { lambdaMax, intervals, knots }) {
  part.strip.replaceChildren(
    ...intervals.map(({ lo, hi, shared, trained }, index) => {
      const bar = make("div", { class: "bar", "data-index": index, title: `λ ${lo.toFixed(3)} to ${hi.toFixed(3)}: ${shared} shared` })
      const share = shared / lambdaMax
      bar.style.cssText = `left:${(100 * lo) / lambdaMax}%;width:${(100 * (hi - lo)) / lambdaMax}%;--share:${share}`
      bar.append(make("i", {}))
      if ((hi - lo) / lambdaMax > 0.022) bar.append(make("b", {}, shared))
      if (trained) bar.append(make("u", {}))
      return bar
    })
  )
  const every = lambdaMax > 8 ? 2 : 1
  const ticks = []
  for (let value = 0; value <= lambdaMax; value += every) ticks.push(placed("tick", value / lambdaMax, value))
  const inside = knots.filter((knot) => knot >= 0 && knot <= lambdaMax)
  part.axis.replaceChildren(...ticks, ...inside.map((knot) => placed("knot", knot / lambdaMax, "◆")))
}

function placed(name, share, text) {
  const element = make("span", { class: name }, text)
  element.style.left = `${100 * share}%`
  return element
}

// Every candidate edge is created once; later only its state, colour and words change.
function drawCell(svg, table) {
  svg.setAttribute("viewBox", `0 0 ${table.width} ${table.height}`)
  const curves = shape("g", {})
  const pills = shape("g", {})
  const edges = table.picture.arcs.map((arc) => {
    const curve = shape("g", { class: "edge", "data-state": "" })
    curve.append(shape("path", { d: arc.path }), shape("path", { class: "tip", d: `M${arc.tip_x},${arc.tip_y}l-4.5,-8h9z` }))
    curve.append(shape("path", { class: "reach", d: arc.path }))
    const pill = shape("g", { class: "pill", "data-state": "", role: "img" })
    const words = shape("text", { x: arc.label_x, y: arc.label_y + 4.5 })
    const rect = shape("rect", { y: arc.label_y - 10, height: 20, rx: 10 })
    pill.append(rect, words)
    curves.append(curve)
    pills.append(pill)
    return { arc, curve, pill, words, rect, drawn: "" }
  })
  svg.querySelectorAll("g").forEach((old) => old.remove())
  svg.append(curves, ...fixedParts(table.picture), pills)
  return edges
}

function fixedParts({ rails, boxes, titles, notes, legend }) {
  const fixed = shape("g", { class: "fixed" })
  for (const rail of rails) fixed.append(shape("path", { class: "rail", d: rail }))
  for (const { x, y, label, role } of boxes) {
    const input = role === "input"
    fixed.append(shape("rect", { class: role, x: x - 29, y: y - 13, width: 58, height: 26, rx: input ? 4 : 13 }))
    fixed.append(shape("text", { x, y: y + 4.5 }, label))
  }
  for (const { x, y, text } of titles) fixed.append(shape("text", { x, y, class: "title" }, text))
  for (const { x, y, text } of notes) fixed.append(shape("text", { x, y, class: "note" }, text))
  for (const { x, y, state, text } of legend) {
    fixed.append(shape("path", { class: "sample", "data-state": state, d: `M${x},${y - 4}h24` }))
    fixed.append(shape("text", { x: x + 32, y, class: "legend" }, text))
  }
  return [fixed]
}

const pen = document.createElement("canvas").getContext("2d")

function drawEdges(edges, marks, names) {
  const now = new Map(marks.map((mark) => [mark.edge, mark]))
  edges.forEach((edge, index) => {
    const mark = now.get(index)
    const signature = mark ? `${mark.state} ${mark.operation} ${mark.label}` : ""
    if (signature === edge.drawn) return
    edge.drawn = signature
    for (const element of [edge.curve, edge.pill]) {
      element.dataset.state = mark?.state ?? ""
      element.dataset.operation = mark?.operation ?? ""
    }
    if (!mark) return edge.pill.removeAttribute("tabindex")
    edge.pill.setAttribute("tabindex", 0)
    edge.pill.setAttribute("aria-label", `${names[index]}: ${mark.label}`)
    const width = pen.measureText(mark.label).width + 18
    edge.words.textContent = mark.label
    edge.rect.setAttribute("x", edge.arc.label_x - width / 2)
    edge.rect.setAttribute("width", width)
  })
}

// Runs at mount and after a change of theme.
function dyeEdges(root, { operations }) {
  const style = getComputedStyle(root)
  const [red, green, blue] = (style.backgroundColor.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number)
  const dark = 0.299 * red + 0.587 * green + 0.114 * blue < 128
  root.dataset.theme = dark ? "dark" : "light"
  pen.font = `13px ${style.fontFamily}`
  for (const [operation, { colors }] of Object.entries(operations)) {
    root.style.setProperty(`--${operation}`, colors[Number(dark)])
  }
}

function make(tag, attributes, text = null) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  if (text !== null) element.textContent = text
  return element
}

function shape(tag, attributes, text = null) {
  const element = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  if (text !== null) element.textContent = text
  return element
}

// An edge lights up here and in every other view that shows it; a sentence says what stands on it.
function linkEdges(view, part, edges) {
  let lit = -1
  const describe = () => {
    const mark = view.table.intervals[view.index]?.marks.find(({ edge }) => edge === lit)
    part.about.textContent = mark ? edgeSentence(view.table, mark) : ABOUT_HINT
  }
  const light = (edge) => {
    for (const element of [edges[lit]?.curve, edges[lit]?.pill]) element?.classList.remove("lit")
    lit = edge
    for (const element of [edges[lit]?.curve, edges[lit]?.pill]) element?.classList.add("lit")
    describe()
  }
  edges.forEach(({ curve, pill }, index) => {
    for (const element of [curve, pill]) {
      element.onpointerenter = () => announceEdge(index)
      element.onpointerleave = () => announceEdge(-1)
    }
    pill.onfocus = () => announceEdge(index) // the curve would become a stop of the Tab key of its own
    pill.onblur = () => announceEdge(-1)
  })
  const stop = onEdge(light)
  return { describe, stop }
}

const ABOUT_HINT = "Point at an edge (or reach it with Tab): it lights up in every view, and its operation is explained here."

function edgeSentence({ edges, operations, reference }, { edge, state, operation, label }) {
  const { word, about } = operations[operation]
  const beside = {
    shared: `${reference.name} has the same.`,
    changed: `${reference.name} has ${label.split(" → ")[0]} here.`,
    added: `${reference.name} does not keep this edge.`,
    gone: `Only ${reference.name} keeps this edge.`,
  }
  return `${edges[edge]}, ${word}: ${about} ${beside[state]}`
}
