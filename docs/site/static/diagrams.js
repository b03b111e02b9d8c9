// Draws the page's diagrams in the theme that the reader has chosen, and again when they choose another.
(() => {
  const diagrams = [...document.querySelectorAll("pre.mermaid")].map((at) => ({ at, text: at.textContent }));
  const isDark = () => {
    const chosen = document.body.dataset.theme;
    return chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  };
  // As wide as the page, but never so small that it cannot be read: then it scrolls.
  const smallest = 0.65;
  const fit = (svg) => {
    const { width } = svg.viewBox.baseVal;
    svg.style.cssText = `width: max(100%, ${smallest * width}px); max-width: ${width}px; height: auto`;
  };
  // A flow from left to right that is too wide for the page goes from top to bottom.
  const drawOne = async (at, text, number) => {
    at.innerHTML = (await mermaid.render(`diagram-${number}`, text)).svg;
    const isTooWide = smallest * at.firstElementChild.viewBox.baseVal.width > at.clientWidth;
    const turned = text.replace(/^(\s*flowchart) LR/, "$1 TB");
    if (isTooWide && turned !== text) at.innerHTML = (await mermaid.render(`diagram-${number}-turned`, turned)).svg;
    fit(at.firstElementChild);
    at.dataset.processed = "true";
  };
  let drawn;
  const draw = async () => {
    if (drawn === isDark()) return;
    drawn = isDark();
    const fontFamily = getComputedStyle(document.body).fontFamily;
    const natural = { useMaxWidth: false };
    mermaid.initialize({
      startOnLoad: false,
      theme: drawn ? "dark" : "neutral",
      fontFamily,
      flowchart: natural,
      sequence: { ...natural, wrap: true, width: 130 },
    });
    for (const [number, { at, text }] of diagrams.entries()) {
      await drawOne(at, text, number);
    }
  };
  new MutationObserver(draw).observe(document.body, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
})();
