// A phone's walk past a store: create both, post two pings, read what happened.
//
//     node examples/javascript/client.mjs http://127.0.0.1:8000 sk_try_me

const [url, key] = process.argv.slice(2);
if (!key) {
  console.error("usage: node client.mjs URL KEY");
  process.exit(2);
}

// Nothing was stored, or the answer was lost: the same request again has one effect.
const SEND_AGAIN = new Set([429, 502, 503, 504]);
const ATTEMPTS = 5;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The answer to a request, which is repeated unchanged while the service is busy. */
async function call(method, path, body) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (attempt > 0) await pause(200 * 2 ** attempt);
    let answer;
    try {
      answer = await fetch(url + path, {
        method,
        headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(10_000),
      });
    } catch (error) {
      console.error(`no answer (${error.message}); sending the same again`);
      continue;
    }
    if (SEND_AGAIN.has(answer.status)) continue;
    const content = await answer.json();
    if (!answer.ok) throw new Error(`${content.code}: ${content.detail}`); // RFC 9457
    return content;
  }
  throw new Error(`no answer after ${ATTEMPTS} attempts`);
}

await call("PUT", "/v1/stores/example-cafe", {
  name: "Example cafe",
  lat: 48.2082,
  lon: 16.4738,
  rings: [{ name: "near", radius_m: 150 }],
});
const device = `node-${Date.now()}`;
await call("PUT", `/v1/devices/${device}`, { platform: "ios" });

// Outside, then inside five minutes later.
const now = Date.now();
for (const [lat, ts] of [[48.212, now - 300_000], [48.2085, now]]) {
  const answer = await call("POST", `/v1/devices/${device}/ping?wake=circle`, {
    lat, lon: 16.4738, accuracy_m: 10, ts,
  });
  for (const event of answer.events) {
    console.log(`${event.kind} ${event.geofence_id} ${(-event.edge_m).toFixed(0)} m inside`);
  }
  for (const offer of answer.offers) console.log(`offer: ${offer.title}`);
  console.log(`may move ${answer.hint.safe_radius_m} m and sleep ${answer.hint.next_ping_s} s`);
}
