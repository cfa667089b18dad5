/** The image that Azure's canary deploys is made here, byte by byte: it must run and unpack where real ones do. */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { canaryBody, canaryImage } from "../../verify/azure/canary-image.js";

const sha256 = (content: Buffer) => `sha256:${createHash("sha256").update(content).digest("hex")}`;
const runsHere = process.platform === "linux" && process.arch === "x64";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

it("names every part by what is in it", () => {
  const { blobs, manifest } = canaryImage("0123456789ab", 8080);
  const [config, layer] = blobs;
  const document = JSON.parse(manifest.document.toString()) as { config: { digest: string; size: number }; layers: { digest: string; size: number }[] };
  expect(manifest.digest).toBe(sha256(manifest.document));
  expect(document.config).toMatchObject({ digest: sha256(config!.content), size: config!.content.length });
  expect(document.layers).toMatchObject([{ digest: sha256(layer!.content), size: layer!.content.length }]);
  const settings = JSON.parse(config!.content.toString()) as { rootfs: { diff_ids: string[] }; config: Record<string, unknown> };
  expect(settings.rootfs.diff_ids).toEqual([sha256(gunzipSync(layer!.content))]);
  expect(settings.config).toMatchObject({ Entrypoint: ["/answer"], ExposedPorts: { "8080/tcp": {} } });
});

(runsHere ? it : it.skip)("unpacks to a program that answers every request on its port with the run's id", async () => {
  const folder = await mkdtemp(join(tmpdir(), "canary-"));
  const port = await freePort();
  const [, layer] = canaryImage("0123456789ab", port).blobs;
  await writeFile(join(folder, "layer.tar.gz"), layer!.content);
  expect(spawnSync("tar", ["-xzf", "layer.tar.gz"], { cwd: folder, encoding: "utf8" }).stderr).toBe("");
  const program = spawn(join(folder, "answer"), { stdio: "ignore" });
  try {
    await once(program, "spawn");
    const answers = [];
    for (const path of ["", "robots933456.txt"]) answers.push(await answerOf(`http://127.0.0.1:${port}/${path}`));
    expect(answers).toEqual([canaryBody("0123456789ab"), canaryBody("0123456789ab")]);
  } finally {
    program.kill("SIGKILL");
    await rm(folder, { recursive: true });
  }
});

/** Of a server that may still be about to listen. */
async function answerOf(url: string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await fetch(url).catch((error: unknown) => (attempt < 50 ? undefined : Promise.reject(error as Error)));
    if (answer) return answer.text();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
