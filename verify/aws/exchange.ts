/** `sts:AssumeRoleWithWebIdentity`, as the platform makes it. */
import { fail, pass, unknown, type Check, type CheckScope } from "../check.js";
import { ask, describeAnswer, isOverload, type AwsAnswer } from "./answers.js";
import { diagnoseExchange, mayBePropagation } from "./exchange-causes.js";
import { cause, readToken, sessionName, type AwsRun, type Session } from "./run.js";

/** The shortest that STS gives. */
export const SESSION_SECONDS = 900;

export interface ExchangeOrder {
  token: string;
  roleArn: string;
}

/** One attempt, not signed. */
export async function assume(run: AwsRun, order: ExchangeOrder, signal: AbortSignal): Promise<AwsAnswer<Session>> {
  const { exchange, runId } = run;
  const [{ AssumeRoleWithWebIdentityCommand }, client] = await Promise.all([import("@aws-sdk/client-sts"), run.clients.anonymousSts(exchange.region)]);
  const command = new AssumeRoleWithWebIdentityCommand({
    RoleArn: order.roleArn,
    RoleSessionName: sessionName(exchange, runId),
    WebIdentityToken: order.token,
    DurationSeconds: SESSION_SECONDS,
  });
  const answer = await ask((abortSignal) => client.send(command, { abortSignal }), { signal });
  if (!answer.ok) return answer;
  const { Credentials: keys, AssumedRoleUser: user, Provider: provider, Audience: audience, SubjectFromWebIdentityToken: subject } = answer.output;
  run.scrubber.register(keys?.AccessKeyId, keys?.SecretAccessKey, keys?.SessionToken);
  if (!keys?.AccessKeyId || !keys.SecretAccessKey || !keys.SessionToken) return { ok: false, kind: "no-answer", detail: "STS's answer has no credentials in it" };
  return {
    ok: true,
    output: {
      credentials: {
        accessKeyId: keys.AccessKeyId,
        secretAccessKey: keys.SecretAccessKey,
        sessionToken: keys.SessionToken,
        ...(keys.Expiration ? { expiration: keys.Expiration } : {}),
      },
      assumedRoleArn: user?.Arn ?? "",
      providerArn: provider ?? "",
      audience: audience ?? "",
      subject: subject ?? "",
    },
  };
}

export function exchangeCheck(run: AwsRun): Check {
  return {
    id: "aws.exchange",
    title: "Exchange: AssumeRoleWithWebIdentity",
    grade: "live",
    required: true,
    needs: ["contract"],
    deadlineMs: 60_000,
    run: (scope) => runExchange(run, scope),
  };
}

async function runExchange(run: AwsRun, scope: CheckScope) {
  let first = true;
  const attempt = async () => {
    if (!first) await renewToken(run, scope.signal);
    first = false;
    const answer = assume(run, { token: run.token?.raw ?? "", roleArn: run.exchange.roleArn }, scope.signal);
    setImmediate(() => run.clients.preload());
    return answer;
  };
  const { answer, attempts, exhausted } = await run.waiter.until("aws.exchange", scope, attempt, (given) =>
    given.ok || given.kind === "no-answer" ? undefined : mayBePropagation(run, given),
  );
  if (!answer.ok) {
    if (answer.kind === "no-answer" || isOverload(answer)) return unknown(`STS in ${run.exchange.region} gave no verdict: ${describeAnswer(answer)}`);
    const seen = `STS answered ${describeAnswer(answer)}`;
    const found = await diagnoseExchange(run, answer, exhausted);
    return found ? fail(seen, found) : unknown(seen);
  }
  run.session = answer.output;
  const differing = difference(run, answer.output);
  if (differing !== undefined) return fail(differing, cause(run, "aws.session.differs", differing));
  return pass(`${answer.output.assumedRoleArn} for ${SESSION_SECONDS / 60} minutes${attempts > 1 ? `, at attempt ${attempts}` : ""}`);
}

/** A token's time must not run out while propagation is waited for. */
async function renewToken(run: AwsRun, signal: AbortSignal): Promise<void> {
  const fresh = await run.source?.token(signal);
  if (fresh === undefined) return;
  run.scrubber.register(fresh);
  run.token = readToken(fresh);
}

/** STS says itself whom it took the token for. */
function difference(run: AwsRun, session: Session): string | undefined {
  const { exchange, contract } = run;
  const [, role] = exchange.roleArn.split(":role/");
  const expected = `arn:${exchange.partition}:sts::${exchange.accountId}:assumed-role/${role?.split("/").at(-1) ?? ""}/`;
  const pairs: [string, string, string][] = [
    ["the provider", session.providerArn, exchange.providerArn],
    ["the audience", session.audience, contract.workload.audience],
    ["the subject", session.subject, contract.workload.subject],
  ];
  const other = pairs.find(([, found, wanted]) => found !== "" && found !== wanted);
  if (other) return `STS says that ${other[0]} is ${other[1]}, the contract has ${other[2]}`;
  return session.assumedRoleArn.startsWith(expected) ? undefined : `STS says that the session is ${session.assumedRoleArn}, the contract's role is ${exchange.roleArn}`;
}
