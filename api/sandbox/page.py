"""The sandbox's page: what has arrived, newest first, without anything from elsewhere."""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Geofence sandbox</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<style>
body {
  font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c2430; background: #f6f7f9;
}
h1 { font-size: 1.25rem }
li {
  list-style: none; background: #fff; border: 1px solid #d9dee5; border-radius: .5rem;
  padding: .75rem 1rem; margin: .5rem 0;
}
li.refused { opacity: .6 }
li div { white-space: pre-line; overflow-wrap: anywhere }
ul { padding: 0 }
small { color: #5a6675; overflow-wrap: anywhere }
.whole { white-space: nowrap }
</style></head><body>
<h1>Pushes and mails</h1>
<p id="none">Nothing has arrived yet.</p><ul id="list" aria-live="polite"></ul>
<script>
const list = document.getElementById("list"), seen = new Set();
// codes and dates, which must not break at their hyphens
const WHOLE = /((?:[A-Z0-9]{2,8}-){1,5}[A-Z0-9]{2,8}|[0-9]{4}-[0-9]{2}-[0-9]{2})/;
function write(box, text) {
  text.split(WHOLE).forEach((part, i) => {
    const piece = document.createElement("span");
    piece.textContent = part;
    if (i % 2) piece.className = "whole";
    if (part) box.append(piece);
  });
}
function add(item) {
  if (seen.has(item.seq)) return;
  seen.add(item.seq);
  document.getElementById("none").hidden = true;
  const row = document.createElement("li"), title = document.createElement("strong");
  const text = document.createElement("div"), foot = document.createElement("small");
  write(title, item.title || "(no title)");
  write(text, item.body);
  const facts = [new Date(item.at_ms).toLocaleTimeString(), item.kind, item.to];
  if (!item.delivered) facts.push("refused " + item.status), row.className = "refused";
  foot.textContent = facts.filter(Boolean).join(" · ");
  row.append(title, text, foot);
  list.prepend(row);
  while (list.children.length > 500) list.lastChild.remove();
}
new EventSource("/inbox/stream").onmessage = event => add(JSON.parse(event.data));
fetch("/inbox").then(answer => answer.json()).then(page => page.data.slice(-500).forEach(add));
</script></body></html>
"""

ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect x="3" y="7" width="26" height="18" rx="3" fill="#1f4e8c"/>
<path d="M4 9l12 9 12-9" fill="none" stroke="#fff" stroke-width="2"/></svg>
"""
