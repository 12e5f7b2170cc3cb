// α(λ) and β(λ) from the knots, as `Knots.at` and the figures compute them in Python.

// Logits (S,) at λ. The published form swaps the weights of the two knots, so it jumps at every knot: a stretch starts at the
// knot on its right and ends at the knot on its left.
function logitsAt({ positions, values }, lam, published) {
  const last = positions.length - 2
  let left = 0
  while (left < last && positions[left + 1] <= lam) left += 1
  const share = Math.min(1, Math.max(0, (lam - positions[left]) / (positions[left + 1] - positions[left])))
  const u = published ? 1 - share : share
  return values[left].map((low, i) => (1 - u) * low + u * values[left + 1][i])
}

// (E, O) operation logits come first, edge logits (E,) behind them.
const operationsOf = (table, logits, edge) => {
  const wide = table.operations.length
  return softmax(logits.slice(edge * wide, (edge + 1) * wide))
}

const inputsOf = (table, logits, slot) => {
  const start = table.edges.length * table.operations.length
  return softmax(table.slots[slot].edges.map((edge) => logits[start + edge]))
}

function softmax(logits) {
  const most = Math.max(...logits)
  const powers = logits.map((value) => Math.exp(value - most))
  const sum = powers.reduce((a, b) => a + b)
  return powers.map((power) => power / sum)
}

// Stretches of λ on which the form is smooth; the published one has a jump at each knot, so its lines are cut there.
function stretchesOf({ positions, lambdaMax }, published) {
  const inside = positions.filter((knot) => knot > 0 && knot < lambdaMax)
  const ends = [0, ...inside, lambdaMax]
  return ends.slice(1).map((hi, i) => gridOf(ends[i], hi, published ? 1e-6 : 0))
}

function gridOf(lo, hi, gap) {
  const steps = 24
  return Array.from({ length: steps + 1 }, (_, i) => lo + ((hi - gap - lo) * i) / steps)
}

// The winners at λ: the k inputs with the largest β of each node, and the operation with the largest α of each edge.
function winnersAt(table, lam, published) {
  const logits = logitsAt(table, lam, published)
  const wide = table.operations.length
  const start = table.edges.length * wide
  const best = table.edges.map((_, edge) => indexOfMost(logits.slice(edge * wide, (edge + 1) * wide)))
  const kept = new Set()
  for (const { edges } of table.slots) {
    const ranked = [...edges].sort((a, b) => logits[start + b] - logits[start + a] || a - b)
    for (const edge of ranked.slice(0, table.kept)) kept.add(edge)
  }
  return { best, kept, logits }
}

const indexOfMost = (values) => values.reduce((most, value, i) => (value > values[most] ? i : most), 0)
