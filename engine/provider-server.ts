/**
 * Serves the resource tables by Pulumi's provider protocol, so that a real `pulumi` provisions into the sandbox: with
 * `PULUMI_DEBUG_PROVIDERS=aws:PORT` it attaches here instead of starting its plugins.
 * https://www.pulumi.com/docs/iac/guides/building-extending/providers/implementers-guide/
 */
import * as grpc from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb.js";
import { ResourceProviderService, type IResourceProviderServer } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import * as pb from "@pulumi/pulumi/proto/provider_pb.js";
import { Status } from "@pulumi/pulumi/proto/status_pb.js";
import { Any } from "google-protobuf/google/protobuf/any_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";

import { PartialFailureError, type ProviderScope, type ProviderTable } from "../sandbox/types.js";
import {
  checkInputs,
  compareInputs,
  invokeBehaviour,
  messageOf,
  packageOf,
  previewOutputs,
  readInputs,
  resourceBehaviour,
  tableFor,
  type InputChange,
} from "./operations.js";
import { fromStruct, hasUnknown, mergeSecrets, sameValue, toStruct, unwrap, wrap, type Secrets } from "./properties.js";

export interface ProviderServer {
  /** For `PULUMI_DEBUG_PROVIDERS`: every package of the tables is served here. */
  port: number;
  close(): Promise<void>;
}

export interface ProviderServerOptions {
  /** Default 0: any free port of the loopback interface. */
  port?: number;
}

/** The engine refuses a provider that is older than the SDK which a program uses. */
const version = "999.0.0";
const unlimitedMessages = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };

export async function startProviderServer(
  tables: readonly ProviderTable[],
  options: ProviderServerOptions = {},
): Promise<ProviderServer> {
  const server = new grpc.Server(unlimitedMessages);
  server.addService(ResourceProviderService, providerService(tables));
  const address = `127.0.0.1:${options.port ?? 0}`;
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(new Error(`the provider server cannot listen on ${address}: ${messageOf(error)}`));
      else resolve(bound);
    });
  });
  return {
    port,
    close: async () => {
      server.forceShutdown();
    },
  };
}

type Method =
  | ("handshake" | "attach" | "getPluginInfo" | "getSchema" | "checkConfig" | "diffConfig" | "configure" | "cancel")
  | ("invoke" | "check" | "diff" | "create" | "update" | "read" | "delete");
type Handlers = { [M in Method]: IResourceProviderServer[M] };

function providerService(tables: readonly ProviderTable[]): Handlers {
  // A request does not say which provider instance it is for, but every instance has a connection of its own.
  const configurations = new Map<string, Record<string, string>>();

  function scopeOf(peer: string, token: string): ProviderScope {
    return tableFor(tables, packageOf(token)).scope(configurations.get(peer) ?? {});
  }

  return {
    handshake: unary(() => new pb.ProviderHandshakeResponse().setAcceptSecrets(true)),
    attach: unary(() => new Empty()),
    getPluginInfo: unary(() => new PluginInfo().setVersion(version)),
    getSchema: unary(() => new pb.GetSchemaResponse().setSchema("{}")),

    checkConfig: unary((request) => {
      const response = new pb.CheckResponse().setInputs(request.getNews());
      const { plain } = unwrap(fromStruct(request.getNews()));
      if (hasUnknown(plain)) return response;
      try {
        tableFor(tables, packageOf(typeOf(request))).scope(texts(plain));
      } catch (error) {
        response.addFailures(new pb.CheckFailure().setReason(messageOf(error)));
      }
      return response;
    }),

    diffConfig: unary((request) => {
      const [olds, news] = [request.getOldInputs() ?? request.getOlds(), request.getNews()].map((s) => unwrap(fromStruct(s)).plain);
      const same = sameValue({ ...olds, version: "" }, { ...news, version: "" });
      return new pb.DiffResponse().setChanges(same ? pb.DiffResponse.DiffChanges.DIFF_NONE : pb.DiffResponse.DiffChanges.DIFF_SOME);
    }),

    configure: unary((request, peer) => {
      configurations.set(peer, texts(unwrap(fromStruct(request.getArgs())).plain));
      return new pb.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true);
    }),

    invoke: unary(async (request, peer) => {
      const behaviour = invokeBehaviour(tables, request.getTok());
      const { plain } = unwrap(fromStruct(request.getArgs()));
      const result = await behaviour(plain, scopeOf(peer, request.getTok()));
      return new pb.InvokeResponse().setReturn(toStruct(result));
    }),

    check: unary((request, peer) => {
      const type = typeOf(request);
      const behaviour = resourceBehaviour(tables, type);
      const news = unwrap(fromStruct(request.getNews()));
      const olds = request.hasOlds() ? unwrap(fromStruct(request.getOlds())).plain : undefined;
      const checked = checkInputs(behaviour, news.plain, scopeOf(peer, type), nameOf(request), olds);
      const response = new pb.CheckResponse().setInputs(toStruct(wrap(checked.inputs, news.secrets)));
      // With a property name the engine would print the property's value, even a secret one.
      for (const reason of checked.failures) response.addFailures(new pb.CheckFailure().setReason(reason));
      return response;
    }),

    diff: unary((request) => {
      const behaviour = resourceBehaviour(tables, typeOf(request));
      const olds = unwrap(fromStruct(request.getOldInputs() ?? request.getOlds())).plain;
      const news = unwrap(fromStruct(request.getNews())).plain;
      const { changes, deleteBeforeReplace } = compareInputs(behaviour, olds, news, request.getIgnorechangesList());
      const response = new pb.DiffResponse().setHasdetaileddiff(true).setDeletebeforereplace(deleteBeforeReplace);
      response.setChanges(changes.size === 0 ? pb.DiffResponse.DiffChanges.DIFF_NONE : pb.DiffResponse.DiffChanges.DIFF_SOME);
      for (const [property, change] of changes) {
        response.addDiffs(property);
        if (change.replaces) response.addReplaces(property);
        response.getDetaileddiffMap().set(property, new pb.PropertyDiff().setKind(diffKind(change)).setInputdiff(true));
      }
      return response;
    }),

    create: unary(async (request, peer) => {
      const type = typeOf(request);
      const behaviour = resourceBehaviour(tables, type);
      const inputs = unwrap(fromStruct(request.getProperties()));
      const scope = scopeOf(peer, type);
      if (request.getPreview()) {
        const outputs = previewOutputs(behaviour, inputs.plain, scope);
        return new pb.CreateResponse().setProperties(toStruct(wrap(outputs, inputs.secrets)));
      }
      const { id, outputs } = await keepingSecrets(inputs.secrets, behaviour.create(inputs.plain, scope));
      return new pb.CreateResponse().setId(id).setProperties(toStruct(wrap(outputs, inputs.secrets)));
    }),

    update: unary(async (request, peer) => {
      const type = typeOf(request);
      const behaviour = resourceBehaviour(tables, type);
      const news = unwrap(fromStruct(request.getNews()));
      const olds = unwrap(fromStruct(request.getOlds())).plain;
      const scope = scopeOf(peer, type);
      const outputs = request.getPreview()
        ? previewOutputs(behaviour, news.plain, scope, { outputs: olds, inputs: unwrap(fromStruct(request.getOldInputs())).plain })
        : await keepingSecrets(news.secrets, behaviour.update(request.getId(), olds, news.plain, scope));
      return new pb.UpdateResponse().setProperties(toStruct(wrap(outputs, news.secrets)));
    }),

    read: unary(async (request, peer) => {
      const type = typeOf(request);
      const known = unwrap(fromStruct(request.getProperties()));
      const before = unwrap(fromStruct(request.getInputs()));
      const olds = Object.keys(known.plain).length === 0 ? undefined : known.plain;
      const behaviour = resourceBehaviour(tables, type);
      const found = await behaviour.read(request.getId(), scopeOf(peer, type), olds);
      if (!found) return new pb.ReadResponse();
      const secrets = mergeSecrets(known.secrets, before.secrets);
      return new pb.ReadResponse()
        .setId(found.id)
        .setProperties(toStruct(wrap(found.outputs, secrets)))
        .setInputs(toStruct(wrap(readInputs(behaviour, found.inputs, before.plain), secrets)));
    }),

    delete: unary(async (request, peer) => {
      const type = typeOf(request);
      const outputs = unwrap(fromStruct(request.getProperties())).plain;
      await resourceBehaviour(tables, type).delete(request.getId(), outputs, scopeOf(peer, type));
      return new Empty();
    }),

    // Sent at the end of every operation, to every provider: on a shared server it means this connection only.
    cancel: unary(() => new Empty()),
  };
}

function unary<Request, Response>(
  answer: (request: Request, peer: string) => Response | Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => answer(call.request, call.getPeer()))
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback(serviceError(error)),
      );
  };
}

/** What a partial failure leaves in the state keeps its secrets, too. */
async function keepingSecrets<T>(secrets: Secrets, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof PartialFailureError)) throw error;
    throw new PartialFailureError(error.message, error.id, wrap(error.outputs, secrets));
  }
}

/** One line, which the engine prints as it is; for a partial failure also what there is already. */
function serviceError(error: unknown): Partial<grpc.StatusObject> {
  const details = messageOf(error);
  if (!(error instanceof PartialFailureError)) return { code: grpc.status.UNKNOWN, details };
  const partial = new pb.ErrorResourceInitFailed()
    .setId(error.id)
    .setProperties(toStruct(error.outputs))
    .setReasonsList([details]);
  const packed = new Any();
  packed.pack(partial.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new Status().setCode(grpc.status.UNKNOWN).setMessage(details);
  status.addDetails(packed);
  const metadata = new grpc.Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return { code: grpc.status.UNKNOWN, details, metadata };
}

function diffKind({ kind, replaces }: InputChange): pb.PropertyDiff.Kind {
  const { ADD, ADD_REPLACE, DELETE, DELETE_REPLACE, UPDATE, UPDATE_REPLACE } = pb.PropertyDiff.Kind;
  if (kind === "add") return replaces ? ADD_REPLACE : ADD;
  if (kind === "delete") return replaces ? DELETE_REPLACE : DELETE;
  return replaces ? UPDATE_REPLACE : UPDATE;
}

interface Named {
  getUrn(): string;
  getType(): string;
  getName(): string;
}

/** `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME` */
function typeOf(request: Named): string {
  return request.getType() || (request.getUrn().split("::")[2] ?? "").split("$").at(-1) || "";
}

function nameOf(request: Named): string {
  return request.getName() || request.getUrn().split("::").slice(3).join("::");
}

function texts(properties: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}
