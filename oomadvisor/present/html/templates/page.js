"use strict";
/* Looks up what the simulator worked out, and sorts tables. It computes nothing about the kernel. */
(function () {
  function at(steps, value) {
    let low = 0, high = steps.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (steps[middle][0] <= value) low = middle; else high = middle - 1;
    }
    return steps[low];
  }

  function option(select, value, words) {
    const one = document.createElement("option");
    one.value = value;
    one.textContent = words;
    select.append(one);
    return one;
  }

  function slider(box) {
    const data = JSON.parse(box.querySelector("script").textContent);
    const find = (name) => box.querySelector("." + name);
    const range = find("range"), exact = find("exact"), operation = find("operation"), ratio = find("ratio");
    const ask = box.dataset.ask;
    let asked = 0;
    data.operations.forEach((one, number) => {
      option(operation, String(number), one.title).selected = one.id === data.chosen;
    });
    find("ratio-knob").textContent = data.ratio.knob;
    data.ratio.choices.forEach((words, number) => option(ratio, String(number), words));
    ratio.closest("label").hidden = data.ratio.choices.length < 2;

    function isNow(value) {
      return data.now !== null && value >= data.now && (data.now_high === null || value <= data.now_high);
    }

    function show(answer) {
      const badge = find("class");
      badge.textContent = ratio.value === "0" && isNow(Number(range.value)) ? "as it is" : answer.class;
      badge.className = "badge class " + answer.class.replace(" ", "-");
      find("marks").textContent = "MIN " + answer.min + " · LOW " + answer.low + " · HIGH " + answer.high;
      for (const name of ["missing", "headroom", "kept", "spins"]) find(name).textContent = answer[name];
    }

    function lookUp(value) {
      const place = data.operations[operation.value].tables[ratio.value];
      if (place === null || place === undefined) return null;
      const table = data.tables[place];
      const [, word, min, low, high] = at(table.passes, value);
      return {
        class: word, min: min, low: low, high: high, missing: at(table.missing, value)[1],
        headroom: at(table.headroom, value)[1], kept: at(data.kept, value)[1],
        spins: at(data.spins[ratio.value], value)[1],
      };
    }

    function askSimulator(value) {
      const mine = ++asked;
      const form = new FormData(document.querySelector(".take form"));
      form.set("value", value);
      form.set("operation", data.operations[operation.value].id);
      if (data.ratios[ratio.value] !== null) form.set("ratio", data.ratios[ratio.value]);
      fetch(ask, { method: "POST", body: new URLSearchParams(form) })
        .then((answer) => answer.json().then((said) => [answer.ok, said]))
        .then(([ok, said]) => {
          if (mine !== asked) return;
          if (ok) show(said);
          find("note").textContent = ok ? "Answered by the simulator." : said.message;
        })
        .catch(() => {
          if (mine === asked) find("note").textContent = "The server did not answer; shown is what came with the page.";
        });
    }

    let waiting = 0;
    function move(value) {
      range.value = value;
      if (document.activeElement !== exact) exact.value = value;
      range.setAttribute("aria-valuetext", value + " kB");
      const answer = lookUp(Number(value));
      find("note").textContent = isNow(Number(value)) ? "This is the value of the report." : data.note;
      if (answer) show(answer);
      else if (!ask) find("note").textContent =
        "This page holds other ratios for the operation in question only; try: oomadvisor simulate --set";
      find("result").classList.toggle("unknown", !answer);
      clearTimeout(waiting);
      asked += 1; // an answer that is still on its way is about another place
      if (ask) waiting = setTimeout(() => askSimulator(value), 120);
    }

    function jumps() {
      const group = find("jumps");
      group.replaceChildren();
      const places = [];
      if (data.now !== null) places.push([data.now, "now: " + data.now_words]);
      if (data.default !== null) places.push([data.default, "the kernel's default: " + data.default]);
      for (const place of places.concat(data.operations[operation.value].edges)) {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = place[1];
        button.addEventListener("click", () => { exact.value = place[0]; move(place[0]); });
        group.append(button);
      }
    }

    function offered() {
      const tables = data.operations[operation.value].tables;
      for (const one of ratio.options) {
        one.disabled = !ask && (tables[one.value] === null || tables[one.value] === undefined);
      }
      if (ratio.selectedOptions[0].disabled) ratio.value = "0";
    }

    range.addEventListener("input", () => move(range.value));
    exact.addEventListener("input", () => {
      const value = Number(exact.value);
      if (exact.value !== "" && Number.isInteger(value) && value >= 0 && value <= data.high) move(value);
      else find("note").textContent = "A whole number from 0 to " + data.high + " is expected.";
    });
    exact.addEventListener("change", () => { exact.value = range.value; });
    operation.addEventListener("change", () => { offered(); jumps(); move(range.value); });
    ratio.addEventListener("change", () => move(range.value));
    offered();
    jumps();
    box.hidden = false;
    const start = data.now !== null && data.now <= data.high ? data.now : data.default === null ? 0 : data.default;
    exact.value = start;
    move(start);
  }

  function sortable(table) {
    const body = table.tBodies[0];
    table.querySelectorAll("thead th").forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const numeric = heading.classList.contains("n");
        const before = heading.getAttribute("aria-sort");
        const up = before === null ? !numeric : before === "descending";
        table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", up ? "ascending" : "descending");
        const key = (row) => row.cells[column].textContent.trim();
        const compare = (a, b) => numeric
          ? (parseFloat(a) || 0) - (parseFloat(b) || 0)
          : a.localeCompare(b);
        const rows = Array.from(body.rows).sort((a, b) => compare(key(a), key(b)));
        body.append(...(up ? rows : rows.reverse()));
      });
    });
  }

  function dropped(form) {
    const field = form.querySelector("input[type=file]");
    form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
    form.addEventListener("dragleave", () => form.classList.remove("over"));
    form.addEventListener("drop", (event) => {
      event.preventDefault();
      form.classList.remove("over");
      field.files = event.dataTransfer.files;
    });
  }

  document.querySelectorAll(".slider").forEach(slider);
  document.querySelectorAll("table[data-sortable]").forEach(sortable);
  document.querySelectorAll("form.ask").forEach(dropped);
})();
