/** The real `kubectl` against a cluster of the sandbox, by nothing but a kubeconfig. Skipped, with the reason, where it is not installed. */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt } from "../../../trust/jwt.js";
import { startSandbox, type Sandbox } from "../../../sandbox/index.js";
import { bringDeployment, deployment } from "./clients.js";

const hasKubectl = spawnSync("kubectl", ["version", "--client"]).status === 0;
if (!hasKubectl) process.stderr.write("skipped: kubectl is not on PATH\n");

const CLUSTER = "platform";
const NAMESPACE = "dcf-functions";
const USER = `system:serviceaccount:${NAMESPACE}:robot`;

let sandbox: Sandbox;
let folder: string;

interface Result {
  status: number;
  out: string;
  err: string;
}

/** As the cluster's administrator, or as whoever the token proves. */
function kubectl(args: string[], token?: string): Promise<Result> {
  const kubeconfig = join(folder, "kubeconfig");
  const written = sandbox.kubernetes.kubeconfig(CLUSTER, sandbox.url);
  writeFileSync(kubeconfig, token === undefined ? written : written.replace(/token: .*/, `token: ${token}`));
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, KUBECONFIG: kubeconfig };
  return new Promise((resolve) => {
    execFile("kubectl", ["-n", NAMESPACE, ...args], { env, timeout: 30_000 }, (error, out, err) => resolve({ status: error ? Number(error.code ?? 1) : 0, out, err }));
  });
}

beforeAll(async () => {
  sandbox = await startSandbox();
  await bringDeployment(sandbox, CLUSTER);
  folder = mkdtempSync(join(tmpdir(), "kubectl-"));
  writeFileSync(join(folder, "web.yaml"), JSON.stringify({ ...deployment("web"), metadata: { name: "web", namespace: NAMESPACE } }));
});
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

(hasKubectl ? describe : describe.skip)("kubectl", () => {
  it("makes, changes and waits for what a platform deploys", async () => {
    expect(await kubectl(["version"])).toMatchObject({ status: 0, out: expect.stringContaining("Server Version: v1.32.4") });
    expect((await kubectl(["get", "deployments"])).out).toMatch(/^NAME +AGE\ndcf-function +\d+s\n$/);
    expect(await kubectl(["set", "image", "deployment/dcf-function", "app=x:2"])).toMatchObject({ status: 0, out: "deployment.apps/dcf-function image updated\n" });
    expect(await kubectl(["set", "image", "deployment/dcf-function", "nope=x:2"])).toMatchObject({ status: 1, err: 'error: unable to find container named "nope"\n' });
    expect(await kubectl(["rollout", "status", "deployment/dcf-function"])).toMatchObject({ status: 0, out: 'deployment "dcf-function" successfully rolled out\n' });
    expect(await kubectl(["wait", "--for=condition=available", "deployment/dcf-function", "--timeout=10s"])).toMatchObject({ status: 0, out: "deployment.apps/dcf-function condition met\n" });
    const shown = JSON.parse((await kubectl(["get", "deployment", "dcf-function", "-o", "json"])).out) as { spec: { template: { spec: { containers: { image: string }[] } } } };
    expect(shown.spec.template.spec.containers[0]!.image).toBe("x:2");
  });

  it("applies from here and on the server, with conflicts", async () => {
    const file = join(folder, "web.yaml");
    expect(await kubectl(["apply", "--server-side", "--dry-run=server", "-f", file])).toMatchObject({ status: 0, out: "deployment.apps/web serverside-applied (server dry run)\n" });
    expect(await kubectl(["get", "deployment", "web"])).toMatchObject({ status: 1, err: 'Error from server (NotFound): deployments.apps "web" not found\n' });
    expect(await kubectl(["apply", "-f", file])).toMatchObject({ status: 0, out: "deployment.apps/web created\n" });
    expect(await kubectl(["apply", "-f", file])).toMatchObject({ status: 0, out: "deployment.apps/web unchanged\n" });
    expect(await kubectl(["apply", "--server-side", "-f", file])).toMatchObject({ status: 0, out: "deployment.apps/web serverside-applied\n" });
    await kubectl(["set", "image", "deployment/web", "app=x:2"]);
    const conflict = await kubectl(["apply", "--server-side", "-f", file]);
    expect([conflict.status, conflict.err.split("\n")[0]]).toEqual([1, 'error: Apply failed with 1 conflict: conflict with "kubectl-set" using apps/v1: .spec.template.spec.containers[name="app"].image']);
    expect(await kubectl(["apply", "--server-side", "--force-conflicts", "-f", file])).toMatchObject({ status: 0 });
  });

  it("mints tokens, and is refused by them what the role does not give", async () => {
    expect(await kubectl(["create", "serviceaccount", "robot"])).toMatchObject({ status: 0, out: "serviceaccount/robot created\n" });
    const token = (await kubectl(["create", "token", "robot", "--duration=10m"])).out.trim();
    const forOthers = (await kubectl(["create", "token", "robot", "--audience=https://a.example"])).out.trim();
    expect(decodeJwt(forOthers)?.claims).toMatchObject({ sub: USER, aud: ["https://a.example"], iss: "https://oidc.dcf.example" });
    expect((await kubectl(["create", "token", "robot", "--duration=5m"])).err).toContain("may not specify a duration less than 10 minutes");

    expect(await kubectl(["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"], token)).toMatchObject({ status: 0, out: USER });
    expect(await kubectl(["auth", "whoami"], forOthers)).toMatchObject({ status: 1, err: "error: You must be logged in to the server (Unauthorized)\n" });
    expect(await kubectl(["auth", "can-i", "patch", "deployments/dcf-function"], token)).toMatchObject({ status: 1, out: "no\n" });
    const setImage = () => kubectl(["set", "image", "deployment/dcf-function", "app=x:3"], token);
    expect((await setImage()).err).toBe(`Error from server (Forbidden): deployments.apps "dcf-function" is forbidden: User "${USER}" cannot get resource "deployments" in API group "apps" in the namespace "${NAMESPACE}"\n`);

    expect(await kubectl(["create", "role", "dcf", "--verb=get,patch", "--resource=deployments.apps", "--resource-name=dcf-function"])).toMatchObject({ status: 0 });
    expect(await kubectl(["create", "rolebinding", "dcf", "--role=dcf", `--serviceaccount=${NAMESPACE}:robot`])).toMatchObject({ status: 0 });
    expect(await setImage()).toMatchObject({ status: 0, out: "deployment.apps/dcf-function image updated\n" });
    expect(await kubectl(["auth", "can-i", "patch", "deployments/dcf-function"], token)).toMatchObject({ status: 0, out: "yes\n" });
    expect(await kubectl(["auth", "can-i", "delete", "deployments/dcf-function"], token)).toMatchObject({ status: 1, out: "no\n" });
    expect((await kubectl(["auth", "can-i", "--list"], token)).out).toMatch(/deployments\.apps +\[\] +\[dcf-function\] +\[get patch\]/);
    expect((await kubectl(["get", "secrets"], token)).err).toContain("Error from server (Forbidden): secrets is forbidden");
    expect((await kubectl(["create", "deployment", "mine", "--image=x"], token)).err).toContain('cannot create resource "deployments"');
    expect((await kubectl(["create", "configmap", "mine", "--from-literal=a=b"])).status).toBe(0);
    expect(await kubectl(["--as", USER, "get", "configmap", "mine"])).toMatchObject({ status: 1, err: expect.stringContaining("forbidden") });
  });
});
