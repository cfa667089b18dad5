/** Who the session is, by its own word. */
import { fail, pass, unknown, type Check } from "../check.js";
import { ask, describeAnswer } from "./answers.js";
import { cause, type AwsRun } from "./run.js";

export function identityCheck(run: AwsRun): Check {
  const { exchange } = run;
  return {
    id: "aws.identity",
    title: "Identity: account and role of the session",
    grade: "live",
    required: true,
    needs: ["aws.exchange"],
    deadlineMs: 30_000,
    run: async ({ signal }) => {
      if (!run.session) return unknown("there is no session");
      const [{ GetCallerIdentityCommand }, client] = await Promise.all([import("@aws-sdk/client-sts"), run.clients.sts(exchange.region, run.session.credentials)]);
      const answer = await ask((abortSignal) => client.send(new GetCallerIdentityCommand({}), { abortSignal }), { signal });
      if (!answer.ok) return unknown(`GetCallerIdentity: ${describeAnswer(answer)}`);
      const { Account: account = "", Arn: arn = "" } = answer.output;
      const seen = `account ${account}, ${arn}`;
      const role = `:assumed-role/${exchange.roleArn.split("/").at(-1) ?? ""}/`;
      return account === exchange.accountId && arn.includes(role)
        ? pass(seen)
        : fail(seen, cause(run, "aws.session.differs", `the session is ${arn} in account ${account}; the contract has ${exchange.roleArn}`));
    },
  };
}
