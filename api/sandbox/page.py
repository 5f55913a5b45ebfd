"""The sandbox's page: what has arrived, newest first, without anything from elsewhere."""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Geofence sandbox</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; background: #f6f7f9 }
h1 { font-size: 1.25rem }
li { list-style: none; background: #fff; border: 1px solid #d9dee5; border-radius: .5rem; padding: .75rem 1rem; margin: .5rem 0 }
li.refused { opacity: .6 }
ul { padding: 0 }
small { color: #5a6675 }
</style></head><body>
<h1>Pushes and mails</h1><p id="none">Nothing has arrived yet.</p><ul id="list" aria-live="polite"></ul>
<script>
const list = document.getElementById("list"), seen = new Set();
function add(item) {
  if (seen.has(item.seq)) return;
  seen.add(item.seq);
  document.getElementById("none").hidden = true;
  const row = document.createElement("li"), title = document.createElement("strong");
  const text = document.createElement("div"), foot = document.createElement("small");
  title.textContent = item.title || "(no title)";
  text.textContent = item.body;
  const came = item.delivered ? "" : "refused " + item.status;
  foot.textContent = [new Date(item.at_ms).toLocaleTimeString(), item.kind, item.to, came].join(" · ");
  if (!item.delivered) row.className = "refused";
  row.append(title, text, foot);
  list.prepend(row);
  while (list.children.length > 500) list.lastChild.remove();
}
new EventSource("/inbox/stream").onmessage = event => add(JSON.parse(event.data));
fetch("/inbox").then(answer => answer.json()).then(page => page.data.slice(-500).forEach(add));
</script></body></html>
"""
