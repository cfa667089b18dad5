/** A sandbox with an integration in it, in a process of its own: what is measured does not share its event loop. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { provision } from "../quickstart/provision.js";
import { scenes } from "../quickstart/scenes.js";
import { startSandbox } from "../sandbox/index.js";

type Question = "memory" | "builds";

interface Ready {
  url: string;
  contract: unknown;
  env: Record<string, string>;
  caPem: string;
}

export interface BenchSandbox extends Ready {
  /** Peak resident memory of the process so far, in bytes. */
  peakMemory(): Promise<number>;
  /** Milliseconds that all builds so far have taken, by CodeBuild's own times. */
  buildMs(): Promise<number>;
  close(): Promise<void>;
}

export async function forkSandbox(root: string, integration: string): Promise<BenchSandbox> {
  const child = fork(__filename, [root, integration], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const ready = await answer<Ready>(child);
  const ask = async (question: Question): Promise<number> => {
    const answered = answer<number>(child);
    child.send(question);
    return answered;
  };
  return {
    ...ready,
    peakMemory: () => ask("memory"),
    buildMs: () => ask("builds"),
    close: async () => {
      const closed = once(child, "close");
      child.send("close");
      await closed;
    },
  };
}

async function answer<T>(child: ChildProcess): Promise<T> {
  const ended = new AbortController();
  const died = once(child, "close", { signal: ended.signal }).then(() => {
    throw new Error("the sandbox's process ended");
  });
  died.catch(() => undefined);
  const [message] = (await Promise.race([once(child, "message"), died])) as [T];
  ended.abort();
  return message;
}

async function serve(root: string, integration: string): Promise<void> {
  const sandbox = await startSandbox();
  await scenes.find((scene) => scene.integration === integration)?.prepare?.(sandbox);
  const { outputs } = await provision({ sandbox, root, integration });
  process.send?.({ url: sandbox.url, contract: outputs["contract"], env: sandbox.env(), caPem: sandbox.caPem } satisfies Ready);
  process.on("message", (message) => {
    if (message === "memory") process.send?.(process.resourceUsage().maxRSS * 1024);
    if (message === "builds") process.send?.(sandbox.store.list<{ startTime: number; endTime?: number }>("aws:codebuild/build").reduce((sum, { value }) => sum + (value.endTime ?? value.startTime) - value.startTime, 0));
    if (message === "close") void sandbox.close().then(() => process.disconnect());
  });
}

if (require.main === module) void serve(join(process.argv[2] ?? "."), process.argv[3] ?? "dcf-aws");
