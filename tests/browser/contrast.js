// The texts of a page whose contrast with what lies behind them is below what WCAG 2 asks for (AA), each with an example.
() => {
  const parse = (text) => { const [r, g, b, a = 1] = (text.match(/[\d.]+/g) || []).map(Number); return [r, g, b, a]; };
  const light = ([r, g, b]) => { const f = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat([1]);
  const behind = (one) => { const layers = []; for (let e = one; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]); };
  const low = {};
  for (const one of document.querySelectorAll("body *")) {
    if (one.closest("math, svg, [hidden], .visually-hidden, .sr-only")) continue;
    if (![...one.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    const style = getComputedStyle(one);
    if (!one.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const ground = behind(one), colour = over(parse(style.color), ground);
    const [a, b] = [light(ground), light(colour)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05), size = parseFloat(style.fontSize);
    if (ratio < (size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5))
      low[`${one.tagName}.${one.className} ${style.color} on ${ground.slice(0, 3).map(Math.round)} ${ratio.toFixed(2)}`] = one.textContent.trim().slice(0, 30);
  }
  return low;
}
