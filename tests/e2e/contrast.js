// Letters on drawn marks are left out: what lies behind them is no background colour.
// Every visible piece of text whose contrast with what lies behind it is under 4.5 : 1 (WCAG 2.2 AA), shadow roots included.
() => {
  const channel = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4)
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b)
  const parse = (color) => {
    const numbers = (color.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number)
    const scale = color.startsWith("color(srgb") ? 255 : 1
    return [...numbers.slice(0, 3).map((value) => value * scale), numbers[3] ?? 1]
  }
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]))
  const layers = (element) => {
    const found = []
    let opacity = 1
    for (let node = element; node; node = node.parentNode ?? node.host) {
      if (!(node instanceof Element)) continue
      const style = getComputedStyle(node)
      found.unshift(parse(style.backgroundColor))
      opacity *= Number(style.opacity)
    }
    return { below: found.reduce((below, color) => over(color, below), [255, 255, 255]), opacity }
  }
  const shown = (element) => {
    const box = element.getBoundingClientRect()
    const words = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())
    return words && box.width > 1 && box.height > 1 && getComputedStyle(element).visibility !== "hidden"
  }
  const pale = []
  const walk = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) walk(element.shadowRoot)
      if (!shown(element) || element.closest("button:disabled, .strip, .mlayer, [data-on-fill]")) continue
      const style = getComputedStyle(element)
      const { below, opacity } = layers(element)
      if (opacity === 0) continue
      const ink = parse(element instanceof SVGElement ? style.fill : style.color)
      const [high, low] = [luminance(over([...ink.slice(0, 3), ink[3] * opacity], below)), luminance(below)].sort((a, b) => b - a)
      const ratio = (high + 0.05) / (low + 0.05)
      if (ratio < 4.5) pale.push(`${ratio.toFixed(2)} ${element.textContent.trim().slice(0, 60)}`)
    }
  }
  walk(document)
  return pale
}
