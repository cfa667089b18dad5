import { SandboxClient } from "./sandbox-client.js";

/** Prints the kubeconfig alone. It leads through the sandbox's proxy, so that a client needs nothing else. */
export async function printKubeconfig(cluster: string, options: { sandbox?: string }): Promise<void> {
  const { kubeconfig } = await new SandboxClient(options.sandbox).get<{ kubeconfig: string }>("/kubeconfig", { cluster });
  process.stdout.write(kubeconfig);
}
