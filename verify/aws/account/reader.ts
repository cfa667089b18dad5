/** The account's own view, read with its own credentials; each thing once a run, and nothing but reads. */
import type { AwsExchange } from "../../../contract/schema.js";
import type { NamedPolicy, OidcProvider } from "../../../trust/aws/types.js";
import { within } from "../../deadline.js";
import { InputError } from "../../input-error.js";
import { ask, describeAnswer, type AwsAnswer, type AwsRefusal, type NoAnswer } from "../answers.js";
import type { AwsClients, Signer } from "../clients.js";
import { readDenial } from "../denial-text.js";
import { nameOf } from "../fixes.js";
import type { AwsRun } from "../run.js";
import type { BucketGrant, S3Call } from "../s3-causes.js";
import { AWS_MANAGED_KEY, readBucket, type BucketFacts } from "./bucket-reading.js";
import { readKey, type KeyFacts } from "./key-reading.js";
import { denialOf, type PredictedDenial } from "./permissions.js";

/** A fact of the account: there, not there, or not to be had with these credentials. */
export type Reading<T> = { status: "read"; value: T } | { status: "absent"; detail: string } | { status: "unreadable"; reason: string };

export interface RoleFacts {
  arn: string;
  roleId: string;
  trustPolicy: string;
  maxSessionDurationSeconds: number;
  boundaryArn: string | undefined;
  tags: Record<string, string>;
}

export interface RolePolicies {
  identity: NamedPolicy[];
  boundary: NamedPolicy | undefined;
}

const CALL_DEADLINE_MS = 20_000;

export class AccountReader {
  readonly #readings = new Map<string, Promise<unknown>>();

  constructor(
    readonly clients: AwsClients,
    readonly exchange: AwsExchange,
    readonly signer: Signer,
  ) {}

  /**
   * Stops before anything else is read when there are no credentials, or they are of another account.
   *
   * @throws InputError
   */
  async assertCaller(signal: AbortSignal): Promise<void> {
    const { accountId, region } = this.exchange;
    const [{ GetCallerIdentityCommand }, client] = await Promise.all([import("@aws-sdk/client-sts"), this.clients.sts(region, this.signer)]);
    const answer = await this.ask((abortSignal) => client.send(new GetCallerIdentityCommand({}), { abortSignal }), signal);
    if (answer.ok) {
      const { Account: found = "", Arn: arn = "" } = answer.output;
      if (found === accountId) return;
      throw new InputError(`--account needs credentials of account ${accountId}; these are of account ${found} (${arn}). Choose others with AWS_PROFILE or \`aws sso login\`.`);
    }
    if (answer.kind === "refused") throw new InputError(`--account: AWS refuses the credentials of this shell: ${describeAnswer(answer)}. Renew them, with \`aws sso login\` for one, and check with \`aws sts get-caller-identity\`.`);
    if (/credential/i.test(answer.detail)) throw new InputError(`--account needs AWS credentials for account ${accountId}, and this shell has none (${answer.detail}). Set AWS_PROFILE, or log in with \`aws sso login\`.`);
    throw new InputError(`--account: AWS STS in ${region} cannot be reached: ${answer.detail}. Check the network and HTTPS_PROXY.`);
  }

  ask<T>(send: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<AwsAnswer<T>> {
    return within(CALL_DEADLINE_MS, signal, (bounded) => ask(send, { signal: bounded }));
  }

  /**
   * @param right the IAM action that the read needs, to be named when it is missing
   * @param absentCodes codes by which the service says that the thing does not exist
   */
  async read<T>(right: string, absentCodes: readonly string[], send: (signal: AbortSignal) => Promise<T>): Promise<Reading<T>> {
    const answer = await this.ask(send);
    if (answer.ok) return { status: "read", value: answer.output };
    if (answer.kind === "refused" && absentCodes.includes(answer.code)) return { status: "absent", detail: describeAnswer(answer) };
    return { status: "unreadable", reason: unreadable(right, answer) };
  }

  /** Reads once, however often it is asked. */
  once<T>(key: string, read: () => Promise<T>): Promise<T> {
    const known = this.#readings.get(key);
    if (known) return known as Promise<T>;
    const started = read();
    this.#readings.set(key, started);
    return started;
  }

  role(arn = this.exchange.roleArn): Promise<Reading<RoleFacts>> {
    return this.once(`role ${arn}`, async () => {
      const [{ GetRoleCommand }, client] = await Promise.all([import("@aws-sdk/client-iam"), this.clients.iam(this.signer)]);
      const reading = await this.read("iam:GetRole", NO_ENTITY, (abortSignal) => client.send(new GetRoleCommand({ RoleName: nameOf(arn) }), { abortSignal }));
      if (reading.status !== "read") return reading;
      const role = reading.value.Role;
      if (role?.Arn !== arn) return { status: "absent", detail: `the role of this name is ${role?.Arn ?? "nameless"}` };
      return {
        status: "read",
        value: {
          arn: role.Arn,
          roleId: role.RoleId ?? "",
          trustPolicy: decodeURIComponent(role.AssumeRolePolicyDocument ?? ""),
          maxSessionDurationSeconds: role.MaxSessionDuration ?? 0,
          boundaryArn: role.PermissionsBoundary?.PermissionsBoundaryArn,
          tags: Object.fromEntries((role.Tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value])),
        },
      };
    });
  }

  /** The contract's provider. */
  provider(): Promise<Reading<OidcProvider>> {
    return this.once("provider", async () => {
      const arn = this.exchange.providerArn;
      const [{ GetOpenIDConnectProviderCommand }, client] = await Promise.all([import("@aws-sdk/client-iam"), this.clients.iam(this.signer)]);
      const reading = await this.read("iam:GetOpenIDConnectProvider", NO_ENTITY, (abortSignal) =>
        client.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn }), { abortSignal }),
      );
      if (reading.status !== "read") return reading;
      return { status: "read", value: { arn, url: (reading.value.Url ?? "").replace(/^https:\/\//, ""), clientIds: reading.value.ClientIDList ?? [] } };
    });
  }

  /** ARNs of all providers of the account. */
  providerArns(): Promise<Reading<string[]>> {
    return this.once("providers", async () => {
      const [{ ListOpenIDConnectProvidersCommand }, client] = await Promise.all([import("@aws-sdk/client-iam"), this.clients.iam(this.signer)]);
      const reading = await this.read("iam:ListOpenIDConnectProviders", [], (abortSignal) => client.send(new ListOpenIDConnectProvidersCommand({}), { abortSignal }));
      if (reading.status !== "read") return reading;
      return { status: "read", value: (reading.value.OpenIDConnectProviderList ?? []).flatMap(({ Arn }) => (Arn === undefined ? [] : [Arn])) };
    });
  }

  /** Inline and managed policies of the role, and its boundary. Unreadable when one of them is. */
  policies(arn = this.exchange.roleArn): Promise<Reading<RolePolicies>> {
    return this.once(`policies ${arn}`, async () => {
      const role = await this.role(arn);
      if (role.status !== "read") return role;
      const [inline, attached, boundary] = await Promise.all([
        this.#inline(nameOf(arn)),
        this.#attached(nameOf(arn)),
        role.value.boundaryArn === undefined ? undefined : this.#managed(role.value.boundaryArn),
      ]);
      if (inline.status !== "read") return inline;
      if (attached.status !== "read") return attached;
      if (boundary && boundary.status !== "read") return boundary;
      return { status: "read", value: { identity: [...inline.value, ...attached.value], boundary: boundary?.value } };
    });
  }

  async #inline(roleName: string): Promise<Reading<NamedPolicy[]>> {
    const [{ GetRolePolicyCommand, paginateListRolePolicies }, client] = await Promise.all([import("@aws-sdk/client-iam"), this.clients.iam(this.signer)]);
    const names = await this.read("iam:ListRolePolicies", NO_ENTITY, async () => {
      const all: string[] = [];
      for await (const page of paginateListRolePolicies({ client }, { RoleName: roleName })) all.push(...(page.PolicyNames ?? []));
      return all;
    });
    if (names.status !== "read") return names;
    const documents = await Promise.all(
      names.value.map((name) =>
        this.read("iam:GetRolePolicy", NO_ENTITY, async (abortSignal) => {
          const { PolicyDocument: document = "" } = await client.send(new GetRolePolicyCommand({ RoleName: roleName, PolicyName: name }), { abortSignal });
          return { name: `inline policy ${name}`, document: decodeURIComponent(document) };
        }),
      ),
    );
    return all(documents);
  }

  async #attached(roleName: string): Promise<Reading<NamedPolicy[]>> {
    const [{ paginateListAttachedRolePolicies }, client] = await Promise.all([import("@aws-sdk/client-iam"), this.clients.iam(this.signer)]);
    const arns = await this.read("iam:ListAttachedRolePolicies", NO_ENTITY, async () => {
      const found: string[] = [];
      for await (const page of paginateListAttachedRolePolicies({ client }, { RoleName: roleName })) {
        found.push(...(page.AttachedPolicies ?? []).flatMap(({ PolicyArn }) => (PolicyArn === undefined ? [] : [PolicyArn])));
      }
      return found;
    });
    return arns.status === "read" ? all(await Promise.all(arns.value.map((arn) => this.#managed(arn)))) : arns;
  }

  async #managed(arn: string): Promise<Reading<NamedPolicy>> {
    const [{ GetPolicyCommand, GetPolicyVersionCommand }, client] = await Promise.all([import("@aws-sdk/client-iam"), this.clients.iam(this.signer)]);
    const policy = await this.read("iam:GetPolicy", NO_ENTITY, (abortSignal) => client.send(new GetPolicyCommand({ PolicyArn: arn }), { abortSignal }));
    if (policy.status !== "read") return policy;
    const versionId = policy.value.Policy?.DefaultVersionId ?? "";
    return this.read("iam:GetPolicyVersion", NO_ENTITY, async (abortSignal) => {
      const { PolicyVersion: version } = await client.send(new GetPolicyVersionCommand({ PolicyArn: arn, VersionId: versionId }), { abortSignal });
      return { name: `managed policy ${arn}`, document: decodeURIComponent(version?.Document ?? "") };
    });
  }

  /** @param owner who the contract says it belongs to; default: this account */
  bucket(name: string, region: string, owner = this.exchange.accountId): Promise<BucketFacts> {
    return this.once(`bucket ${name} of ${owner}`, () => readBucket(this, name, region, owner));
  }

  key(name: string, region: string): Promise<KeyFacts> {
    return this.once(`key ${name}`, () => readKey(this, name, region));
  }

  /** The key by which a bucket encrypts as its ARN: buckets keep ids and aliases as they were given. What cannot be resolved stays as it is. */
  async keyArn(name: string, region: string): Promise<string> {
    if (name === "" || name === AWS_MANAGED_KEY || name.includes(":key/")) return name;
    const { arn } = await this.key(name, region);
    return arn.status === "read" ? arn.value : name;
  }

  /** Undefined when it cannot be read. */
  async isVersioned(name: string, region: string, owner: string): Promise<boolean | undefined> {
    const { versioning } = await this.bucket(name, region, owner);
    return versioning.status === "read" ? versioning.value !== "" : undefined;
  }

  denialOf(run: AwsRun, grant: BucketGrant, call: S3Call): Promise<PredictedDenial> {
    return denialOf(run, this, grant, call);
  }
}

/** As IAM's query protocol and its SDK shape name it. */
const NO_ENTITY = ["NoSuchEntity", "NoSuchEntityException"];

function all<T>(readings: Reading<T>[]): Reading<T[]> {
  const values: T[] = [];
  for (const reading of readings) {
    if (reading.status !== "read") return reading;
    values.push(reading.value);
  }
  return { status: "read", value: values };
}

const MISSING_RIGHT = /^(AccessDenied|AccessDeniedException|UnauthorizedOperation)$/;

/** A right that is denied is not to be had by being granted. */
function unreadable(right: string, answer: AwsRefusal | NoAnswer): string {
  if (answer.kind !== "refused" || !MISSING_RIGHT.test(answer.code)) return `${right}: ${describeAnswer(answer)}`;
  const denial = readDenial(answer.message);
  return `reading it needs ${right}, which ${denial?.explicit ? `is denied to these credentials by an explicit deny (${denial.layerName})` : "these credentials do not have"}`;
}
