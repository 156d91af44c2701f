// What on a page stands out too little from what is behind it: text by WCAG 2.2, 1.4.3, marks of a drawing by 1.4.11.
//
// Returned is one line for each pair of colours that fails, with an element that has it. Gradients are not seen.
() => {
  const MARKS = 3, LARGE = 3, TEXT = 4.5, LARGE_PX = 24, LARGE_BOLD_PX = 56 / 3, BOLD = 700;
  const TINT = 0.2; // what is no more than this is a ground, and no mark
  const SHAPES = "rect, circle, ellipse, path, polygon, polyline, line";
  const brush = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const colour = (said) => {
    if (!known.has(said)) {
      brush.clearRect(0, 0, 1, 1);
      brush.fillStyle = said;
      brush.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = brush.getImageData(0, 0, 1, 1).data;
      known.set(said, [r, g, b, a / 255]);
    }
    return known.get(said);
  };
  const over = ([r, g, b, a], below, share = 1) =>
    [r, g, b].map((part, at) => part * a * share + below[at] * (1 - a * share)).concat(1);
  const luminance = (rgb) =>
    [0.2126, 0.7152, 0.0722].reduce((sum, weight, at) => {
      const part = rgb[at] / 255;
      return sum + weight * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    }, 0);
  const ratio = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const up = (element) => element.parentElement ?? element.getRootNode().host;
  const style = (element, pseudo) => getComputedStyle(element, pseudo);
  const shares = new Map();
  const share = (element) => {
    if (!element) return 1;
    if (!shares.has(element)) shares.set(element, Number(style(element).opacity) * share(up(element)));
    return shares.get(element);
  };
  const canvas = (() => {
    const probe = document.body.appendChild(document.createElement("div"));
    probe.style.background = "Canvas";
    const found = colour(style(probe).backgroundColor);
    probe.remove();
    return found;
  })();
  const grounds = new Map();
  const ground = (element) => {
    if (!element) return canvas;
    if (!grounds.has(element)) {
      const own = element instanceof SVGElement && !element.matches("svg") ? "transparent" : style(element).backgroundColor;
      grounds.set(element, over(colour(own), ground(up(element))));
    }
    return grounds.get(element);
  };
  const shapes = new Map();
  const drawn = (svg) => {
    if (!shapes.has(svg)) {
      const found = [...svg.querySelectorAll(SHAPES)].filter((each) => !each.closest("defs, clipPath, pattern, marker"));
      shapes.set(svg, found.filter((each) => each.checkVisibility({ visibilityProperty: true })));
    }
    return shapes.get(svg);
  };
  const painted = (shape, part) => {
    const seen = style(shape);
    if (seen[part] === "none" || seen[part].startsWith("url")) return null;
    const [r, g, b, a] = colour(seen[part]);
    return [r, g, b, a * Number(seen[`${part}Opacity`]) * share(shape)];
  };
  const below = (svg, box, before) => {
    const points = [0.02, 0.5, 0.98].map((at) => new DOMPoint(box.left + at * box.width, box.top + box.height / 2));
    const found = points.map(() => ground(svg));
    for (const shape of drawn(svg)) {
      if (before && !(before.compareDocumentPosition(shape) & Node.DOCUMENT_POSITION_PRECEDING)) continue;
      const fill = painted(shape, "fill");
      if (!fill || !shape.getScreenCTM()) continue;
      const back = shape.getScreenCTM().inverse();
      points.forEach((point, at) => {
        if (shape.isPointInFill?.(point.matrixTransform(back))) found[at] = over(fill, found[at]);
      });
    }
    return found;
  };
  const wrong = new Map();
  const tell = (element, text, one, other, wanted) => {
    const found = ratio(one, other);
    if (found >= wanted) return;
    const hex = (rgb) => "#" + rgb.slice(0, 3).map((part) => Math.round(part).toString(16).padStart(2, "0")).join("");
    const name = element.tagName.toLowerCase() + [...element.classList].map((each) => `.${each}`).join("");
    const pair = `${hex(one)} on ${hex(other)}`;
    const said = `${found.toFixed(2)} < ${wanted}: ${pair}, ${name} in ${up(element).outerHTML.slice(0, 60)}`;
    if (!wrong.has(pair + name)) wrong.set(pair + name, `${said} ${text.trim().slice(0, 40)}`);
  };
  const judge = (element, text, box, seen, pseudo) => {
    const svg = element instanceof SVGElement && element.closest("svg");
    const scale = svg ? Math.hypot(element.getScreenCTM().a, element.getScreenCTM().b) : 1;
    const size = parseFloat(seen.fontSize) * scale;
    const isLarge = size >= LARGE_PX || (size >= LARGE_BOLD_PX && Number(seen.fontWeight) >= BOLD);
    const left = share(element) * (pseudo ? Number(seen.opacity) : 1);
    const own = pseudo ? over(colour(seen.backgroundColor), ground(element)) : ground(element);
    for (const behind of svg ? below(svg, box, element) : [own]) {
      const front = over(colour(svg ? seen.fill : seen.color), behind, left);
      tell(element, text, front, behind, isLarge ? LARGE : TEXT);
    }
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest("script, style, title, desc, noscript, template")) continue;
    if (element.matches(":disabled, :disabled *") || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (box.width > 1 && box.height > 1) judge(element, node.data, box, style(element));
  }
  // Of the words of code none has anything before or after it but a cell of a table.
  for (const element of document.body.querySelectorAll("*:not(pre span), pre [data-head]")) {
    for (const pseudo of ["::before", "::after"]) {
      const seen = style(element, pseudo);
      const text = seen.content.replace(/^"(.*)"$/s, "$1");
      if (/^(none|normal|url.*|counter.*)?$/.test(text) || !text.trim() || !element.checkVisibility()) continue;
      judge(element, text, element.getBoundingClientRect(), seen, pseudo);
    }
  }
  for (const svg of document.querySelectorAll("svg[role=img]")) {
    for (const shape of drawn(svg)) {
      if (shape.closest(".hl-grid, .hl-ground")) continue;
      const box = shape.getBoundingClientRect();
      const behind = below(svg, box, drawn(svg)[1] ?? shape)[1];
      const parts = ["fill", "stroke"].map((part) => painted(shape, part)).filter((part) => part && part[3] > TINT);
      if (!parts.length) continue;
      const best = parts.map((part) => over(part, behind)).sort((one, other) => ratio(other, behind) - ratio(one, behind))[0];
      tell(shape, "", best, behind, MARKS);
    }
  }
  return [...wrong.values()];
}
