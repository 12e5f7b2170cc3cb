// What plotly and Streamlit leave out of choosing points. Shift adds only to what plotly itself saw being chosen: marks that
// came with the figure are told to it before it looks. And that such marks were taken away is reported to nobody: Python hears it here.

const tellers = new Map() // by the chart's key
const heard = new WeakSet()

export default function ({ data, setTriggerValue }) {
  tellers.set(data.chart, () => setTriggerValue("emptied", true))
  const before = (event) => {
    const chart = event.target.closest?.(`.st-key-${data.chart} .js-plotly-plot`)
    if (!chart) return
    listen(chart, data.chart)
    if (event.shiftKey) remind(chart, event.target.dataset.subplot)
  }
  document.addEventListener("mousedown", before, true)
  return () => document.removeEventListener("mousedown", before, true)
}

function listen(chart, key) {
  if (heard.has(chart)) return
  heard.add(chart)
  for (const name of ["plotly_deselect", "plotly_doubleclick"]) chart.on(name, () => tellers.get(key)())
}

function remind(chart, subplot) {
  const plot = chart._fullLayout._plots[subplot]
  if (!plot || plot.selection?.selectionDefs?.length) return
  const marked = chart.calcdata.filter(([{ trace }]) => trace.xaxis + trace.yaxis === subplot && trace.selectedpoints)
  const selectionDefs = marked.flatMap((cd) =>
    cd[0].trace.selectedpoints.map((pointNumber) => ({ pointNumber, searchInfo: { cd }, subtract: false }))
  )
  if (!selectionDefs.length) return
  plot.selection = { selectionDefs, mergedPolygons: [] }
  chart._fullLayout._lastSelectedSubplot = plot.id
}
