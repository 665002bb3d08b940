// Drives the server at argv[2] with the npm package toxiproxy-node-client, unchanged; prints what it got as JSON.
const { Toxiproxy } = require("toxiproxy-node-client");
const [, , url, upstream] = process.argv;

async function main() {
  const seen = {};
  const server = new Toxiproxy(url);
  seen.version = await server.getVersion();
  const proxy = await server.createProxy({ name: "node", listen: "127.0.0.1:0", upstream });
  seen.created = proxy.toJson();
  seen.again = await server.createProxy({ name: "node", listen: "127.0.0.1:0", upstream }).catch((e) => e.message);
  seen.toxics = [];
  for (const [type, attributes] of [
    ["latency", { latency: 10, jitter: 2 }],
    ["bandwidth", { rate: 1000 }],
    ["slow_close", { delay: 10 }],
    ["timeout", { timeout: 60000 }],
    ["reset_peer", { timeout: 60000 }],
    ["slicer", { average_size: 64, size_variation: 32, delay: 10 }],
    ["limit_data", { bytes: 100000 }],
  ]) {
    for (const stream of ["upstream", "downstream"]) {
      const body = { name: `${type}-${stream}`, type, stream, toxicity: 0.5, attributes };
      seen.toxics.push((await proxy.addToxic(body)).toJson());
    }
  }
  const latency = await proxy.getToxic("latency-upstream");
  seen.updated = (await latency.update({ attributes: { latency: 20 } })).toJson();
  await latency.remove();
  seen.removed = await proxy.getToxic("latency-upstream").catch((e) => e.message);
  seen.invalid = await proxy.addToxic({ type: "nonsense", attributes: {} }).catch((e) => e.message);
  seen.disabled = (await proxy.update({ enabled: false, listen: proxy.listen, upstream })).enabled;
  await server.reset();
  seen.reset = (await server.get("node")).toJson();
  seen.populated = Object.keys(
    await server.populate([
      { name: "one", listen: "127.0.0.1:0", upstream },
      { name: "two", listen: "127.0.0.1:0", upstream, enabled: false },
    ]),
  );
  seen.all = Object.keys(await server.getAll());
  await (await server.get("node")).remove();
  seen.gone = await server.get("node").catch((e) => e.message);
  console.log(JSON.stringify(seen));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
