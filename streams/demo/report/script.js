// Selects an incident (by link, by #incident=ID) and follows the pointer over time. Everything else is in the page
// already. What it has done stands in data attributes of the root element, for tests.
"use strict";
(() => {
  const root = document.documentElement;
  window.addEventListener("error", (event) => { root.dataset.error = event.message; });
  document.addEventListener("securitypolicyviolation", (event) => {
    root.dataset.violation = event.violatedDirective;
  });

  const data = JSON.parse(document.getElementById("data").textContent);
  const all = (selector) => document.querySelectorAll(selector);

  const select = (id) => {
    const incident = data.incidents.find((one) => one.id === id) ?? data.incidents[0];
    if (!incident) return;
    const within = new Set(incident.entities);
    for (const one of all("[data-incident]")) {
      one.classList.toggle("chosen", one.dataset.incident === incident.id);
    }
    for (const node of all("[data-entity]")) {
      node.classList.toggle("on", within.has(node.dataset.entity));
      node.classList.toggle("cause", node.dataset.entity === incident.cause);
    }
    for (const edge of all("[data-caller]")) {
      edge.classList.toggle("on", within.has(edge.dataset.caller) && within.has(edge.dataset.callee));
    }
    root.dataset.selected = incident.id;
  };

  const fragment = () => {
    const match = /^#incident=(.*)$/.exec(location.hash);
    try { return match && decodeURIComponent(match[1]); } catch { return null; }
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#incident="]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault(); // the page must not jump away from the line and the graph
    history.replaceState(null, "", link.getAttribute("href"));
    select(fragment());
  });
  window.addEventListener("hashchange", () => select(fragment()));
  document.getElementById("all")?.addEventListener("change", (event) => {
    root.classList.toggle("all", event.target.checked);
  });

  const digits = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : String(+value.toPrecision(3)));
  const quantity = (value, unit) => {
    if (unit === "ratio") return `${digits(value * 100)} %`;
    if (unit === "s" && Math.abs(value) < 1) return `${digits(value * 1000)} ms`;
    for (const [size, prefix] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
      if (Math.abs(value) >= size) return `${digits(value / size)} ${prefix}${unit === "bytes" ? "B" : unit}`;
    }
    return `${digits(value)} ${unit === "bytes" ? "B" : unit}`;
  };
  const clock = (ms) => new Date(ms).toISOString().slice(11, 19);

  const nearest = (times, at) => {
    let best = 0;
    times.forEach((time, row) => { if (Math.abs(time - at) < Math.abs(times[best] - at)) best = row; });
    return best;
  };
  const said = (chart, at) => {
    const row = nearest(chart.times, at - chart.start);
    const parts = [clock(chart.start + chart.times[row])];
    const value = chart.values[row];
    parts.push(value === null ? "nothing heard" : quantity(value, chart.unit));
    const expected = chart.expected?.[row] ?? null;
    if (expected !== null) parts.push(`expected ${quantity(expected, chart.unit)}`);
    return parts.join(", ");
  };

  // One time under the pointer, shown in all that has a time axis beside it.
  const follow = (svg, at) => {
    const share = (at - svg.dataset.start) / (svg.dataset.end - svg.dataset.start);
    const cursor = svg.querySelector(".cursor");
    const seen = share >= 0 && share <= 1;
    cursor.classList.toggle("on", seen);
    for (const end of ["x1", "x2"]) cursor.querySelector("line").setAttribute(end, `${share * 100}%`);
    const readout = cursor.querySelector(".readout");
    if (readout) {
      readout.textContent = clock(at);
      readout.setAttribute("x", `${share * 100}%`);
      readout.setAttribute("text-anchor", share > 0.9 ? "end" : "start");
    }
    const chart = data.charts[svg.dataset.chart];
    if (chart?.times.length) {
      svg.parentElement.querySelector(".value").textContent = seen ? said(chart, at) : "";
    }
  };
  const plots = all(".follow");
  const clear = () => {
    for (const plot of plots) {
      plot.querySelector(".cursor").classList.remove("on");
      const value = plot.parentElement.querySelector(".value");
      if (value) value.textContent = "";
    }
  };
  for (const svg of plots) {
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const share = (event.clientX - box.left) / box.width;
      const at = +svg.dataset.start + share * (svg.dataset.end - svg.dataset.start);
      for (const other of plots) if (other.getBoundingClientRect().width) follow(other, at);
    });
    svg.addEventListener("pointerleave", clear);
  }

  root.classList.add("js");
  select(fragment());
  root.dataset.ready = String(all("article.card").length);
})();
