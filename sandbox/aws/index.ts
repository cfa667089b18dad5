/** AWS in the sandbox: accounts and the services that integrations use, over their own protocols, and the same operations for the engines. */
import { partitionOfRegion } from "../../facts/aws/partitions.js";
import type { ProviderTable, SandboxCore, WireService } from "../types.js";
import { Accounts, DEFAULT_ACCOUNT_ID } from "./accounts.js";
import { PolicyAuthoriser } from "./authoriser.js";
import { createCodeBuild } from "./codebuild.js";
import { Credentials } from "./credentials.js";
import { createEcr } from "./ecr.js";
import { AwsFront, type Invoke } from "./front.js";
import { IamContext } from "./iam-context.js";
import { IamStore } from "./iam-store.js";
import { createIam } from "./iam.js";
import { createKms } from "./kms.js";
import { createLambda } from "./lambda.js";
import { createLogs } from "./logs.js";
import { createAwsTable } from "./resources.js";
import { createS3 } from "./s3.js";
import type { CallAs } from "./service-role.js";
import type { AwsService, AwsServiceContext } from "./service.js";
import { SignatureVerifier } from "./sigv4.js";
import { createSts } from "./sts.js";
import { AwsError, type AwsCaller, type AwsCloud } from "./types.js";

/** Builds AWS on the sandbox's core; everything that it knows is in the core's store. */
export function createAws(core: SandboxCore): { cloud: AwsCloud; service: WireService; table: ProviderTable } {
  const iam = new IamStore(core.store);
  const credentials = new Credentials(core.store, iam, core.clock);
  const accounts = new Accounts(iam, credentials, core.clock);
  const authoriser = new PolicyAuthoriser(core, iam);
  const context: AwsServiceContext = {
    core,
    authoriser,
    defaultAccountId: DEFAULT_ACCOUNT_ID,
    principalId: (arn) => iam.uniqueId(arn),
    principalArn: (id) => iam.arnOf(id),
  };
  // Builds and functions act in a role of their account, by the same operations as everybody.
  const callAs: CallAs = (...call) => run("inside", ...call);
  const ecr = createEcr(context);
  const lambda = createLambda(context, callAs);
  const s3 = createS3(context);
  const services: Record<AwsService["name"], AwsService> = {
    codebuild: createCodeBuild(context, callAs),
    ecr,
    iam: createIam(new IamContext(core, iam, credentials, authoriser)),
    kms: createKms(context),
    lambda: lambda.service,
    logs: createLogs(context),
    s3: s3.service,
    sts: createSts({ core, iam, credentials, authoriser }),
  };

  const find = (service: AwsService["name"], operation: string) =>
    Object.hasOwn(services[service].operations, operation) ? services[service].operations[operation] : undefined;
  const enter = async (from: "client" | "inside", ...[service, operation, request]: Parameters<Invoke>): ReturnType<Invoke> => {
    const found = find(service, operation);
    if (!found) throw new AwsError("InvalidAction", 400, `The sandbox has no operation ${service}:${operation}`);
    await core.enter(`${service}:${operation}`, from);
    return found(request);
  };
  const invoke: Invoke = (...call) => enter("client", ...call);
  // The engines, builds and functions call as over TLS: what they do stands for a client's call.
  const run = (from: "client" | "inside", ...[caller, service, operation, input, region]: Parameters<CallAs>): ReturnType<CallAs> =>
    enter(from, service, operation, { caller: localise(caller, region), region, input, context: { "aws:SecureTransport": "true" } });
  const cloud: AwsCloud = {
    defaultAccountId: DEFAULT_ACCOUNT_ID,
    get propagationDelaySeconds() {
      return core.settings.propagationDelaySeconds;
    },
    administrator: (accountId) => accounts.administrator(accountId),
    accountOfAccessKey: (accessKeyId) => {
      const key = credentials.find(accessKeyId);
      return key && credentials.caller(key)?.principal.accountId;
    },
    call: (...call) => run("client", ...call),
  };
  const service = new AwsFront({
    verifier: new SignatureVerifier(credentials, core.clock),
    invoke,
    has: (name, operation) => find(name, operation) !== undefined,
    localise,
    handleLambda: (request, authenticated) => lambda.handleWire(request, authenticated),
    handleFunctionUrl: (...call) => lambda.handleFunctionUrl(...call),
    handleRegistry: (request) => ecr.handleRegistry(request),
    handleS3: (request, authenticated) => s3.handleWire(request, authenticated),
  });
  accounts.administrator(DEFAULT_ACCOUNT_ID);
  return { cloud, service, table: createAwsTable(cloud) };
}

/** Accounts are the same in every partition of the sandbox; only their names differ. */
function localise(caller: AwsCaller, region: string): AwsCaller {
  const partition = partitionOfRegion(region)?.name ?? "aws";
  if (caller.principal.kind !== "user" || partition === "aws") return caller;
  return { ...caller, principal: { ...caller.principal, arn: caller.principal.arn.replace(/^arn:[^:]+:/, `arn:${partition}:`) } };
}
