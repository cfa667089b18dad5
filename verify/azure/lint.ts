/** The trust that the contract describes, as if it were there: values that Entra takes without a word and that match no token, or more than one. */
import { lintCredentials } from "../../trust/azure/lint.js";
import { fail, pass, type Check } from "../check.js";
import { cause, type AzureRun } from "./run.js";

/** Where Entra has just given a token, it is no mistake whatever it looks like. */
export function lintCheck(run: AzureRun): Check {
  const { contract, exchange } = run;
  const { issuer, subject, audience } = contract.workload;
  return {
    id: "azure.lint",
    title: "Workload: issuer, subject and audience are ones that Entra matches",
    grade: "predicted",
    required: true,
    // What the audience has to be goes by the cloud.
    needs: ["contract", "azure.tenant"],
    after: ["azure.exchange"],
    deadlineMs: 60_000,
    run: async (scope) => {
      const findings = lintCredentials([{ name: exchange.federatedCredential, issuer, subject, audiences: [audience] }], { cloud: exchange.cloud });
      const accepted = (await scope.outcome("azure.exchange"))?.status === "pass";
      const mistakes = accepted ? [] : findings.filter(({ severity }) => severity === "error").map(({ message }) => message);
      for (const { severity, message, fix } of findings) if (accepted || severity !== "error") scope.remark(`${message} ${fix}`);
      if (mistakes.length > 0) return fail(mistakes.join(" "), cause(run, "azure.credential.invalid", mistakes));
      return pass(findings.length === 0 ? "nothing found" : "nothing that keeps the workload out; see the remarks");
    },
  };
}
