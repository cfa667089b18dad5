/** The order of checks, waiting, deadlines, interruption; reports in every form. */
import { getEventListeners, getMaxListeners } from "node:events";
import { within } from "../../verify/deadline.js";
import { fail, pass, unknown, type Check, type Verdict } from "../../verify/check.js";
import { formatReport, formatReportFile } from "../../verify/formats/index.js";
import { buildReport, type Report } from "../../verify/report.js";
import { runChecks } from "../../verify/runner.js";
import { Scrubber } from "../../verify/scrub.js";
import { parseDuration, Waiter, waitPolicy } from "../../verify/waiting.js";
import { judge, type Cause } from "../../verify/causes.js";
import { exampleContract } from "../support/contract.js";

const cause = (code: string): Cause => ({ code, title: code, explanation: "", evidence: [`seen ${code}`], fix: "" });
const check = (id: string, run: Check["run"], more: Partial<Check> = {}): Check => ({ id, title: id, grade: "live", required: true, needs: [], deadlineMs: 5_000, run, ...more });
const passing = (id: string, more: Partial<Check> = {}) => check(id, async () => pass("ok"), more);
const statuses = (results: readonly { id: string; verdict: Verdict }[]) => Object.fromEntries(results.map(({ id, verdict }) => [id, verdict.status]));

describe("calls under one signal", () => {
  it("are as many as there are, and leave nothing behind", async () => {
    const { signal } = new AbortController();
    const counts = await Promise.all(Array.from({ length: 20 }, () => within(5_000, signal, async () => {
      await Promise.resolve();
      return [getEventListeners(signal, "abort").length, getMaxListeners(signal)];
    })));
    expect(counts).toContainEqual([20, Infinity]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

describe("running checks", () => {
  it("runs independent ones at the same time", async () => {
    let bothThere: () => void = () => undefined;
    let there = 0;
    const meeting = new Promise<void>((resolve) => (bothThere = resolve));
    const meets = async () => {
      there += 1;
      if (there === 2) bothThere();
      await meeting;
      return pass("met");
    };
    const { results } = await runChecks([check("a", meets), check("b", meets)]);
    expect(statuses(results)).toEqual({ a: "pass", b: "pass" });
  });

  it("leaves out what stands on a failed check, and does not blame it", async () => {
    const { results } = await runChecks([check("a", async () => fail("no", cause("x"))), passing("b", { needs: ["a"] }), passing("c", { needs: ["b"] }), passing("d", { after: ["a"] })]);
    expect(statuses(results)).toEqual({ a: "fail", b: "not-tested", c: "not-tested", d: "pass" });
    expect(results[1]?.verdict).toEqual({ status: "not-tested", reason: 'left out because "a" failed' });
  });

  it("refuses an order in which checks would wait for each other", async () => {
    await expect(runChecks([passing("b", { needs: ["a"] }), passing("a")])).rejects.toThrow("check b stands before a");
    await expect(runChecks([passing("a"), passing("a")])).rejects.toThrow("check a is there twice");
  });

  it("gives no verdict after the deadline or an unexpected error, and does not hang", async () => {
    const never = () => new Promise<Verdict>(() => undefined);
    const { results } = await runChecks([check("slow", never, { deadlineMs: 20 }), check("broken", () => Promise.reject(new Error("it broke")))]);
    expect(results.map(({ verdict }) => verdict)).toEqual([unknown("no result within 0.02 s"), unknown("it broke")]);
  });

  it("cleans up after an interruption, latest first, and reports what it has", async () => {
    const interrupt = new AbortController();
    const cleaned: string[] = [];
    const { results, interrupted } = await runChecks(
      [
        passing("done"),
        check(
          "stored",
          async (scope) => {
            scope.cleanUp(async () => void cleaned.push("first"));
            scope.cleanUp(async () => void cleaned.push("second"));
            interrupt.abort();
            return new Promise<Verdict>(() => undefined);
          },
          { needs: ["done"] },
        ),
        passing("later", { needs: ["stored"] }),
      ],
      { signal: interrupt.signal },
    );
    expect(statuses(results)).toEqual({ done: "pass", stored: "unknown", later: "not-tested" });
    expect({ cleaned, interrupted }).toEqual({ cleaned: ["second", "first"], interrupted: true });
  });

  it("does not let a failing clean-up hide the report", async () => {
    const { results } = await runChecks([
      check("a", async (scope) => {
        scope.cleanUp(() => Promise.reject(new Error("no")));
        return pass("ok");
      }),
    ]);
    expect(statuses(results)).toEqual({ a: "pass" });
  });
});

describe("naming causes", () => {
  it("names the confirmed one alone, and otherwise all that are left", () => {
    const open = (code: string) => ({ cause: cause(code), confirmed: false });
    expect(judge([open("a"), { cause: cause("b"), confirmed: true }, open("c")]).map(({ code }) => code)).toEqual(["b"]);
    expect(judge([open("a"), open("c")]).map(({ code }) => code)).toEqual(["a", "c"]);
    expect(judge([])).toEqual([]);
  });
});

describe("waiting", () => {
  const now = new Date("2026-01-01T00:10:00Z");

  it.each([
    ["0", 0],
    ["30s", 30],
    ["5m", 300],
    ["1h", 3600],
    ["45", 45],
  ])("reads %s", (text, seconds) => expect(parseDuration(text)).toBe(seconds));

  it.each(["", "5 m", "-1s", "1d", "m", "1.5m"])("refuses %j in one line", (text) => {
    expect(() => parseDuration(text)).toThrow(`--wait takes a duration such as 30s, 5m or 0; got ${JSON.stringify(text)}.`);
  });

  it("lasts as asked, or as long as a known change is young, and otherwise allows one repetition", () => {
    expect(waitPolicy(30, 120, undefined, now)).toEqual({ seconds: 30, retryOnce: false });
    expect(waitPolicy(0, 120, "2026-01-01T00:10:00Z", now)).toEqual({ seconds: 0, retryOnce: false });
    expect(waitPolicy(undefined, 120, "2026-01-01T00:09:00Z", now)).toEqual({ seconds: 60, retryOnce: false });
    expect(waitPolicy(undefined, 120, "2026-01-01T00:08:00Z", now)).toEqual({ seconds: 0, retryOnce: true });
    expect(waitPolicy(undefined, 120, undefined, now)).toEqual({ seconds: 0, retryOnce: true });
  });

  async function attempts(seconds: number, retryOnce: boolean, answers: string[]) {
    let time = 0;
    const pauses: number[] = [];
    const waiter = new Waiter({ seconds, retryOnce }, () => time, async (milliseconds) => {
      pauses.push(milliseconds);
      time += milliseconds;
    });
    const notices: string[] = [];
    const scope = { signal: new AbortController().signal, waiting: ({ code }: { code: string }) => notices.push(code) } as never;
    const waited = await waiter.until("a", scope, async () => answers.shift() ?? "denied", (answer) => (answer === "denied" ? "AccessDenied" : undefined));
    return { ...waited, pauses, notices, waits: waiter.waits };
  }

  it("repeats with growing pauses of at most 8 s until the answer is another one", async () => {
    const { answer, attempts: made, pauses, notices, exhausted, waits } = await attempts(120, false, ["denied", "denied", "denied", "denied", "in"]);
    expect({ answer, made, exhausted, notices: notices.length, waits: waits.length }).toEqual({ answer: "in", made: 5, exhausted: false, notices: 4, waits: 1 });
    const bounds = [2, 4, 8, 8];
    pauses.forEach((pause, index) => expect(pause / 1000 <= bounds[index]! && pause / 1000 >= bounds[index]! * 0.75).toBe(true));
  });

  it("ends when the time is over, and says that it was all waited", async () => {
    const { answer, exhausted, pauses } = await attempts(5, false, []);
    expect({ answer, exhausted }).toEqual({ answer: "denied", exhausted: true });
    expect(pauses.reduce((sum, pause) => sum + pause, 0)).toBeLessThan(6_000);
  });

  it("repeats once, or not at all", async () => {
    expect(await attempts(0, true, [])).toMatchObject({ attempts: 2, exhausted: false });
    expect(await attempts(0, false, [])).toMatchObject({ attempts: 1, exhausted: false, waits: [] });
    expect(await attempts(120, false, ["in"])).toMatchObject({ attempts: 1, notices: [] });
  });
});

describe("scrubbing", () => {
  it("removes registered secrets and everything that looks like one, and nothing else", () => {
    const scrubber = new Scrubber();
    scrubber.register("very-secret-value", undefined, "short");
    const jwt = ["eyJhbGciOiJSUzI1NiJ9", "eyJzdWIiOiJzb21lYm9keSJ9", "c2lnbmF0dXJl"].join(".");
    expect(scrubber.data({ a: ["x very-secret-value y", { b: `token ${jwt}.` }], n: 1, s: "short", none: null })).toEqual({ a: ["x [removed] y", { b: "token [removed]." }], n: 1, s: "short", none: null });
  });
});

describe("reports", () => {
  const contract = exampleContract({ workload: { issuer: "https://oidc.dcf.example", subject: "<tenant> & \"co\"", audience: "sts.amazonaws.com" } });
  const facts = { startedAt: new Date(0), durationMs: 1234, runId: "run", contract, evidence: ["token" as const], notRead: ["service control policies"], tokenFingerprint: "abc", waits: [], hops: undefined };
  const report = async (...checks: Check[]): Promise<Report> => buildReport(await runChecks(checks), facts);

  it.each([
    ["everything passed", [passing("a")], 0, "passed"],
    ["something was not tested", [passing("a", { needs: [] }), check("b", async () => ({ status: "not-tested", reason: "off" }))], 0, "passed"],
    ["a check failed, beside one without a verdict", [check("a", async () => fail("no", cause("x"))), check("b", async () => unknown("?"))], 1, "failed"],
    ["a required check has no verdict", [passing("a"), check("b", async () => unknown("?"))], 3, "unknown"],
    ["a check that is not required has no verdict", [passing("a"), check("b", async () => unknown("?"), { required: false })], 0, "passed"],
  ] as const)("%s", async (_, checks, exitCode, outcome) => {
    expect(await report(...checks)).toMatchObject({ exitCode, outcome });
  });

  it("makes one finding of checks that failed by the same thing", async () => {
    const { findings } = await report(check("a", async () => fail("no", cause("x"))), check("b", async () => fail("no", cause("x"))), check("c", async () => fail("no", { causes: [cause("x"), cause("y")], layersNotRead: ["SCPs"] })));
    expect(findings.map(({ checks, causes }) => [checks, causes.map(({ code }) => code)])).toEqual([
      [["a", "b"], ["x"]],
      [["c"], ["x", "y"]],
    ]);
  });

  it("names one cause or several, in every form, marked as the sandbox's", async () => {
    const made = await report(passing("a"), check("b", async () => fail("<no>", cause("x.y"))), check("c", async () => fail("no", { causes: [cause("p.q"), cause("r.s")], layersNotRead: ["SCPs"] })), check("d", async () => unknown("?")));
    const json = JSON.parse(formatReport(made, "json")) as Report;
    expect(json).toMatchObject({ kind: "cloud-federation/report", version: 1, environment: "sandbox", checks: [{}, { cause: { code: "x.y" } }, { oneOf: [{ code: "p.q" }, { code: "r.s" }] }, { reason: "?" }] });
    const text = formatReport(made, "text");
    expect(text).toContain("SANDBOX");
    expect(text).toContain("One of 2 causes");
    expect(text).toContain("evidence: seen x.y");
    const junit = formatReport(made, "junit");
    expect(junit).toContain('tests="4" failures="2" errors="1" skipped="0"');
    expect(junit).toContain('message="&lt;no&gt;"');
    const html = formatReportFile(made, "report.html", "text");
    expect(html).toContain("&lt;tenant&gt; &amp; &quot;co&quot;");
    expect(html).not.toMatch(/<script|src=|href=/);
    expect(formatReportFile(made, "report.xml", "text")).toBe(junit);
    expect(formatReportFile(made, "report.json", "text")).toBe(formatReport(made, "json"));
    expect(formatReportFile(made, "report", "junit")).toBe(junit);
  });
});
