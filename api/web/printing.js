/* The map on paper. A browser lays the page out anew for printing and finds the WebGL canvas empty: so the printer
   gets a plain copy of what is on the screen, with the bar that tells its scale. */

const BAR = { margin: 10, height: 8, letters: 12 };

function drawBar(pen, bar, bottom) {
  const { margin, height, letters } = BAR;
  const width = bar.offsetWidth;
  pen.fillStyle = "rgba(255, 255, 255, 0.85)";
  pen.fillRect(margin, bottom - margin - letters - height, width, letters + height);
  pen.strokeStyle = pen.fillStyle = "#1d2733";
  pen.lineWidth = 2;
  pen.strokeRect(margin, bottom - margin - height, width, height);
  pen.font = `${letters}px ${getComputedStyle(bar).fontFamily}`;
  pen.fillText(bar.textContent, margin, bottom - margin - height - 4);
}

function copied(map) {
  map.redraw();
  const drawn = map.getCanvas();
  const copy = Object.assign(document.createElement("canvas"), { width: drawn.width, height: drawn.height });
  copy.className = "printed";
  const pen = copy.getContext("2d");
  pen.drawImage(drawn, 0, 0);
  const dots = drawn.width / drawn.clientWidth;
  pen.scale(dots, dots);
  drawBar(pen, map.getContainer().querySelector(".maplibregl-ctrl-scale"), drawn.clientHeight);
  return copy;
}

export function keepPrintable(map) {
  let copy = null;
  addEventListener("beforeprint", () => {
    copy = copied(map);
    map.getContainer().append(copy);
  });
  addEventListener("afterprint", () => copy?.remove());
}
