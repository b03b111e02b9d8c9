// Draws the page's diagrams in the theme that the reader has chosen, and again when they choose another.
(() => {
  const diagrams = [...document.querySelectorAll("pre.mermaid")].map((at) => ({ at, text: at.textContent }));
  const isDark = () => {
    const chosen = document.body.dataset.theme;
    return chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  };
  // As wide as the page, but never so small that it cannot be read: then it scrolls.
  const fit = (svg) => {
    const { width } = svg.viewBox.baseVal;
    svg.style.cssText = `width: max(100%, ${0.65 * width}px); max-width: ${width}px; height: auto`;
  };
  let drawn;
  const draw = async () => {
    if (drawn === isDark()) return;
    drawn = isDark();
    const fontFamily = getComputedStyle(document.body).fontFamily;
    const natural = { useMaxWidth: false };
    mermaid.initialize({
      startOnLoad: false, theme: drawn ? "dark" : "neutral", fontFamily, flowchart: natural, sequence: natural,
    });
    for (const [number, { at, text }] of diagrams.entries()) {
      const { svg } = await mermaid.render(`diagram-${number}`, text);
      at.innerHTML = svg;
      fit(at.firstElementChild);
      at.dataset.processed = "true";
    }
  };
  new MutationObserver(draw).observe(document.body, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
})();
