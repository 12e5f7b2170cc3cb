// What the views of one page tell each other in the browser, without the server: λ while it moves, and the edge pointed at.

const LAM = "edgenes-lam"
const EDGE = "edgenes-edge"

const announceLam = (lam) => tell(LAM, lam)
const announceEdge = (edge) => tell(EDGE, edge)
const onLam = (listener) => hear(LAM, listener)
const onEdge = (listener) => hear(EDGE, listener)

function tell(name, value) {
  window[name] = value
  window.dispatchEvent(new CustomEvent(name, { detail: value }))
}

// Listens until the returned function is called; a value told before is heard at once.
function hear(name, listener) {
  const heard = ({ detail }) => listener(detail)
  window.addEventListener(name, heard)
  if (window[name] !== undefined) listener(window[name])
  return () => window.removeEventListener(name, heard)
}
