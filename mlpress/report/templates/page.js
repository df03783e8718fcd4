"use strict";
// Pictures, the panel beside the front, tabs, and the search in source files.
(() => {
  const specs = JSON.parse(document.getElementById("specs").textContent);
  const views = new Map();
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

  async function draw(box) {
    if (views.has(box) || !box.clientWidth || !window.vegaEmbed) return;
    const spec = specs[box.dataset.spec];
    views.set(box, null);
    if (!("fixed" in box.dataset)) spec.width = box.clientWidth;
    const options = { mode: "vega", ast: true, renderer: "svg", actions: false, tooltip: { theme: "page" } };
    const { view } = await window.vegaEmbed(box, spec, options);
    views.set(box, view);
    box.dataset.drawn = "";
    if ("fixed" in box.dataset) place(box, spec);
    const panel = box.closest("[data-front]");
    if (panel) {
      view.addEventListener("click", (_, item) => item?.datum?.id !== undefined && pick(panel, item.datum.id));
      view.signal("picked", Number(panel.dataset.picked)).run();
    }
  }

  // A large drawing begins at its actual size, with its last port in sight; a small one fits the page.
  function place(box, spec) {
    const zoom = box.parentElement.querySelector("[data-zoom]");
    const show = (fit) => {
      box.classList.toggle("fit", fit);
      if (zoom) zoom.textContent = fit ? "actual size" : "fit the page";
      const end = spec.data.find((one) => one.name === "ports_rows").values.at(-1);
      if (!fit && end) box.scrollTo(end.x, end.y - box.clientHeight / 2);
    };
    zoom?.addEventListener("click", () => show(!box.classList.contains("fit")));
    show(spec.width <= 1.5 * box.clientWidth);
  }

  function resize() {
    for (const [box, view] of views) {
      if (view && box.clientWidth && !("fixed" in box.dataset) && view.width() !== box.clientWidth)
        view.width(box.clientWidth).run();
    }
  }

  function pick(panel, id) {
    panel.dataset.picked = id;
    for (const point of $$("[data-point]", panel)) point.hidden = Number(point.dataset.point) !== id;
    for (const box of $$("[data-spec]", panel)) views.get(box)?.signal("picked", id).run();
  }

  function step(panel, by) {
    const ids = $$("[data-point]", panel).map((point) => Number(point.dataset.point));
    const at = ids.indexOf(Number(panel.dataset.picked));
    pick(panel, ids[Math.min(Math.max(at + by, 0), ids.length - 1)]);
  }

  for (const panel of $$("[data-front]")) {
    for (const button of $$("[data-step]", panel))
      button.addEventListener("click", () => step(panel, Number(button.dataset.step)));
    panel.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      if (by && event.target.getAttribute("role") !== "tab") {
        step(panel, by);
        event.preventDefault();
      }
    });
  }

  function open(tab) {
    for (const other of $$('[role="tab"]', tab.parentElement)) {
      const chosen = other === tab;
      other.setAttribute("aria-selected", chosen);
      other.tabIndex = chosen ? 0 : -1;
      document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
    }
    $$("[data-spec]", document.getElementById(tab.getAttribute("aria-controls"))).forEach(draw);
  }

  for (const tab of $$('[role="tab"]')) {
    tab.addEventListener("click", () => open(tab));
    tab.addEventListener("keydown", (event) => {
      const tabs = $$('[role="tab"]', tab.parentElement);
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by) return;
      const next = tabs[(tabs.indexOf(tab) + by + tabs.length) % tabs.length];
      open(next);
      next.focus();
      event.preventDefault();
    });
  }

  for (const field of $$("[data-search]")) {
    const file = document.getElementById(field.dataset.search);
    const said = field.parentElement.querySelector("output");
    let hits = [], at = -1;
    const show = () => {
      $$(".here", file).forEach((line) => line.classList.remove("here"));
      if (hits.length) {
        hits[at].classList.add("here");
        file.scrollTop = hits[at].offsetTop - file.clientHeight / 2;
      }
      said.textContent = field.value ? (hits.length ? `${at + 1} of ${hits.length}` : "none") : "";
    };
    field.addEventListener("input", () => {
      const wanted = field.value.toLowerCase();
      file.style.contentVisibility = "visible"; // else nothing scrolls in a file that is out of sight
      hits = [];
      for (const line of file.querySelectorAll("code > span")) {
        const hit = wanted !== "" && line.textContent.toLowerCase().includes(wanted);
        line.classList.toggle("hit", hit);
        if (hit) hits.push(line);
      }
      at = 0;
      show();
    });
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !hits.length) return;
      at = (at + (event.shiftKey ? -1 : 1) + hits.length) % hits.length;
      show();
      event.preventDefault();
    });
  }

  for (const button of $$("[data-copy]"))
    button.addEventListener("click", async () => {
      const code = button.previousElementSibling;
      getSelection().selectAllChildren(code);
      if (!navigator.clipboard) return;
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "copied";
    });

  const seen = new IntersectionObserver((found) => {
    for (const one of found) if (one.isIntersecting) draw(one.target);
  }, { rootMargin: "600px" });
  $$("[data-spec]").forEach((box) => seen.observe(box));
  for (const one of $$("details")) one.addEventListener("toggle", () => $$("[data-spec]", one).forEach(draw));
  let waiting = 0;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(resize, 100);
  });
  window.addEventListener("beforeprint", () => $$("[data-spec]").forEach(draw));

  const links = new Map($$("nav a").map((link) => [link.hash.slice(1), link]));
  const reading = new IntersectionObserver((found) => {
    for (const one of found) links.get(one.target.id)?.classList.toggle("now", one.isIntersecting);
  }, { rootMargin: "-20% 0px -65% 0px" });
  $$("section[id]").forEach((section) => reading.observe(section));
})();
