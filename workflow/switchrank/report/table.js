"use strict";
(() => {
  const table = document.getElementById("table");
  const search = document.getElementById("search");
  const count = document.getElementById("count");
  const save = document.getElementById("save");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const columns = JSON.parse(table.dataset.columns);
  const same = columns.map((column) => column[1] ?? "");
  const texts = rows.map((row) => [...same, ...Array.from(row.cells, (cell) => cell.textContent)].join(" ").toLowerCase());
  const heads = Array.from(table.tHead.rows[0].cells);
  const names = heads.map((head) => head.textContent);

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, at) => {
      row.hidden = !words.every((word) => texts[at].includes(word));
      shown += row.hidden ? 0 : 1;
    });
    count.textContent = `${shown} of ${rows.length} rows`;
  };

  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
  };
  const compare = (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en");
  };
  const sort = (column, falling) => {
    heads.forEach((other) => other.setAttribute("aria-sort", "none"));
    heads[column].setAttribute("aria-sort", falling ? "descending" : "ascending");
    const sorted = rows.map((row) => [value(row, column), row]);
    sorted.sort((a, b) => {
      const blank = a[0] === "" || b[0] === "";
      return falling && !blank ? compare(b[0], a[0]) : compare(a[0], b[0]);
    });
    body.append(...sorted.map((pair) => pair[1]));
  };

  const quoted = (text) => /["\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const plain = (cell) => cell.dataset.value ?? cell.dataset.plain ?? cell.textContent;
  const asTsv = () => {
    const line = (cells) => cells.map(quoted).join("\t") + "\n";
    const shown = Array.from(body.rows).filter((row) => !row.hidden);
    const lines = shown.map((row) => {
      const cells = Array.from(row.cells, plain);
      return line(columns.map(([name, constant]) => constant ?? cells[names.indexOf(name)]));
    });
    return line(columns.map((column) => column[0])) + lines.join("");
  };
  save.addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([asTsv()], { type: "text/tab-separated-values" }));
    link.download = save.dataset.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });

  // A link to a view: #search=ml-cs+fr&sort=value (or sort=-value, falling).
  const follow = () => {
    const wanted = new URLSearchParams(location.hash.slice(1));
    if (wanted.has("search")) search.value = wanted.get("search");
    const sorted = wanted.get("sort") ?? "";
    const column = names.indexOf(sorted.replace(/^-/, ""));
    if (column >= 0) sort(column, sorted.startsWith("-"));
    filter();
  };

  heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
    sort(column, head.getAttribute("aria-sort") === "ascending");
  }));
  search.addEventListener("input", filter);
  window.addEventListener("hashchange", follow);
  follow();
})();
