/**
 * The embedded engine's resource monitor: what the SDK registers lands in the sandbox's resource tables. A failing
 * resource is answered as the real engine answers it (its dependents are skipped, the program runs to its end), so
 * that one run finds every independent failure.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import { InvokeResponse } from "@pulumi/pulumi/proto/provider_pb.js";
import * as pb from "@pulumi/pulumi/proto/resource_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";

import { PartialFailureError, type Properties, type ProviderScope, type ProviderTable } from "../sandbox/types.js";
import type { EmbeddedEvent, EmbeddedResource } from "./embedded.js";
import { checkInputs, compareInputs, invokeBehaviour, messageOf, packageOf, previewOutputs, readInputs, resourceBehaviour, tableFor } from "./operations.js";
import { envelope, fromStruct, hasUnknown, toStruct, unwrap, wrap } from "./properties.js";

/** How long, in milliseconds, nothing is asked of the monitor before a failed program counts as ended. */
const quietPeriod = 100;

export const stackType = "pulumi:pulumi:Stack";

export interface MonitorOptions {
  project: string;
  stack: string;
  config: Readonly<Record<string, string>>;
  tables: readonly ProviderTable[];
  preview: boolean;
  previous: readonly EmbeddedResource[];
  onEvent(event: EmbeddedEvent): void;
}

type Callback<T> = (error: Error | null, response?: T) => void;

/** A resource's outcome before it is written down: what the SDK is told, and what the state keeps. */
interface Outcome {
  status: EmbeddedResource["status"];
  id: string;
  inputs: Properties;
  outputs: Properties;
  scope?: ProviderScope;
  error?: string;
}

export class EmbeddedMonitor {
  readonly resources = new Map<string, EmbeddedResource>();
  readonly errors: string[] = [];
  /** With envelopes; set when the program has returned. */
  stackOutputs: Properties = {};
  private readonly providerConfigs = new Map<string, Record<string, string>>();
  private readonly inFlight = new Set<Promise<void>>();
  private calls = 0;
  private closed = false;

  constructor(private readonly options: MonitorOptions) {}

  supportsFeature(request: pb.SupportsFeatureRequest, callback: Callback<pb.SupportsFeatureResponse>): void {
    const unsupported = ["transforms", "invokeTransforms", "outputValues", "resourceReferences"];
    callback(null, new pb.SupportsFeatureResponse().setHassupport(!unsupported.includes(request.getId())));
  }

  registerPackage(_request: pb.RegisterPackageRequest, callback: Callback<pb.RegisterPackageResponse>): void {
    callback(null, new pb.RegisterPackageResponse().setRef(randomUUID()));
  }

  registerResourceHook(_request: unknown, callback: Callback<Empty>): void {
    callback(null, new Empty());
  }

  registerErrorHook(_request: unknown, callback: Callback<Empty>): void {
    callback(null, new Empty());
  }

  signalAndWaitForShutdown(_request: unknown, callback: Callback<Empty>): void {
    callback(null, new Empty());
  }

  registerResourceOutputs(request: pb.RegisterResourceOutputsRequest, callback: Callback<Empty>): void {
    const resource = this.resources.get(request.getUrn());
    const outputs = fromStruct(request.getOutputs());
    if (resource?.type === stackType) this.stackOutputs = outputs;
    if (resource) this.resources.set(resource.urn, { ...resource, outputs });
    callback(null, new Empty());
  }

  registerResource(request: pb.RegisterResourceRequest, callback: Callback<pb.RegisterResourceResponse>): void {
    this.answer(() => this.register(request), callback);
  }

  readResource(request: pb.ReadResourceRequest, callback: Callback<pb.ReadResourceResponse>): void {
    this.answer(() => this.readExisting(request), callback);
  }

  invoke(request: pb.ResourceInvokeRequest, callback: Callback<InvokeResponse>): void {
    const token = request.getTok();
    const work = async () => {
      const behaviour = invokeBehaviour(this.options.tables, token);
      const { plain } = unwrap(fromStruct(request.getArgs()));
      const result = await behaviour(plain, this.scope(token, request.getProvider()));
      return new InvokeResponse().setReturn(toStruct(result));
    };
    this.answer(async () => {
      try {
        return await work();
      } catch (error) {
        throw new Error(`invocation of ${token} returned an error: ${messageOf(error)}`);
      }
    }, callback);
  }

  /** Resolves when no call is in flight and none has come for a while. */
  async quiet(): Promise<void> {
    let before: number;
    do {
      before = this.calls;
      await Promise.all(this.inFlight);
      await delay(quietPeriod);
    } while (this.calls !== before);
  }

  /** From now on nothing is changed: what a failed program still asks for is refused. (`close` is a name that the SDK calls.) */
  end(): void {
    this.closed = true;
  }

  private answer<T>(work: () => Promise<T>, callback: Callback<T>): void {
    if (this.closed) {
      callback(serviceError(new Error("the run has ended")));
      return;
    }
    this.calls++;
    const call = work()
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback(serviceError(error)),
      )
      .finally(() => this.inFlight.delete(call));
    this.inFlight.add(call);
  }

  /** Where a resource's provider acts: an explicit one by its reference (`urn::id`), otherwise the stack's configuration. */
  private scope(token: string, providerReference: string): ProviderScope {
    const packageName = packageOf(token);
    const table = tableFor(this.options.tables, packageName);
    const explicit = this.providerConfigs.get(providerReference.slice(0, providerReference.lastIndexOf("::")));
    return table.scope(explicit ?? packageConfig(this.options.config, packageName));
  }

  private urn(parent: string, type: string, name: string): string {
    const parentType = parent.split("::")[2] ?? stackType;
    const qualified = parentType === stackType ? type : `${parentType}$${type}`;
    return `urn:pulumi:${this.options.stack}::${this.options.project}::${qualified}::${name}`;
  }

  private async register(request: pb.RegisterResourceRequest): Promise<pb.RegisterResourceResponse> {
    const [type, name, parent] = [request.getType(), request.getName(), request.getParent()];
    const urn = this.urn(parent, type, name);
    if (this.resources.has(urn)) {
      this.errors.push(`Duplicate resource URN '${urn}'; try giving it a unique name`);
      return new pb.RegisterResourceResponse().setUrn(urn).setResult(pb.Result.FAIL);
    }
    const started = performance.now();
    const inputs = fromStruct(request.getObject());
    const base = {
      urn,
      type,
      name,
      custom: request.getCustom(),
      ...(parent === "" ? {} : { parent }),
      dependencies: request.getDependenciesList(),
      protect: request.getProtect() ?? false,
      retainOnDelete: request.getRetainondelete() ?? false,
    };
    // Known from now on, so that a second registration under this name is refused while this one is under way.
    this.resources.set(urn, { ...base, status: "skipped", id: "", inputs, outputs: {}, seconds: 0 });
    if (base.custom) this.options.onEvent({ kind: "started", urn, type, name });

    const outcome = await this.provision(request, urn, inputs).catch(
      (error: unknown): Outcome => ({ status: "failed", id: "", inputs, outputs: {}, error: messageOf(error) }),
    );
    const seconds = (performance.now() - started) / 1000;
    const resource: EmbeddedResource = { ...base, ...outcome, seconds };
    this.resources.set(urn, resource);
    if (outcome.error !== undefined) this.errors.push(`${type} (${name}): ${outcome.error}`);
    if (base.custom) this.options.onEvent({ kind: "finished", resource });

    const response = new pb.RegisterResourceResponse().setUrn(urn).setId(outcome.id);
    if (outcome.status === "failed") return response.setResult(pb.Result.FAIL);
    if (outcome.status === "skipped") return response.setResult(pb.Result.SKIP);
    return response.setObject(toStruct(outcome.outputs));
  }

  private async provision(request: pb.RegisterResourceRequest, urn: string, rawInputs: Properties): Promise<Outcome> {
    const type = request.getType();
    if (request.getRemote()) throw new Error(`${type} is a component of another process: the embedded engine plays only this program's own`);
    if (!request.getCustom()) return { status: "created", id: "", inputs: rawInputs, outputs: rawInputs };
    if (this.blocked([...request.getDependenciesList(), request.getParent(), request.getProvider()])) {
      return { status: "skipped", id: "", inputs: rawInputs, outputs: {} };
    }
    if (type.startsWith("pulumi:providers:")) return this.provider(type, urn, rawInputs);

    const behaviour = resourceBehaviour(this.options.tables, type);
    const scope = this.scope(type, request.getProvider());
    const news = unwrap(rawInputs);
    const before = this.before(urn, request);
    const imported = before === undefined && request.getImportid() !== "" ? await this.importable(request, scope) : undefined;
    const olds = before ? unwrap(before.inputs).plain : imported?.inputs;
    for (const key of olds ? request.getIgnorechangesList() : []) news.plain[key] = olds?.[key];

    const checked = checkInputs(behaviour, news.plain, scope, request.getName(), olds);
    if (checked.failures.length > 0) throw new Error(checked.failures.join("; "));
    const seal = (outputs: Properties) => this.seal(wrap(outputs, news.secrets), request.getAdditionalsecretoutputsList());
    const inputs = wrap(checked.inputs, news.secrets);

    if (olds) {
      const { changes } = compareInputs(behaviour, olds, checked.inputs, request.getIgnorechangesList());
      if (changes.size > 0) {
        const kept = before ? { id: before.id, inputs: before.inputs, outputs: before.outputs } : { id: "", inputs, outputs: {} };
        const error = `${[...changes.keys()].join(", ")} changed: the embedded engine does not update; install the Pulumi CLI to apply it`;
        return { status: "failed", ...kept, scope, error };
      }
      if (before) return { status: "same", id: before.id, inputs, outputs: before.outputs, scope };
      if (imported) return { status: "same", id: imported.id, inputs, outputs: seal(imported.outputs), scope };
    }
    if (this.options.preview) {
      return { status: "created", id: "", inputs, outputs: seal(previewOutputs(behaviour, checked.inputs, scope)), scope };
    }
    try {
      const { id, outputs } = await behaviour.create(checked.inputs, scope);
      return { status: "created", id, inputs, outputs: seal(outputs), scope };
    } catch (error) {
      if (!(error instanceof PartialFailureError)) throw error;
      return { status: "failed", id: error.id, inputs, outputs: seal(error.outputs), scope, error: messageOf(error) };
    }
  }

  private provider(type: string, urn: string, rawInputs: Properties): Outcome {
    const { plain } = unwrap(rawInputs);
    const config = Object.fromEntries(
      Object.entries(plain).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
    );
    if (!hasUnknown(plain)) tableFor(this.options.tables, packageOf(type)).scope(config);
    this.providerConfigs.set(urn, config);
    return { status: "created", id: randomUUID(), inputs: rawInputs, outputs: rawInputs };
  }

  /** Whether any of these (URNs, or provider references `urn::id`) failed or was skipped. */
  private blocked(urns: readonly string[]): boolean {
    return urns.some((urn) => {
      const resource = this.resources.get(urn) ?? this.resources.get(urn.slice(0, urn.lastIndexOf("::")));
      return resource?.status === "failed" || resource?.status === "skipped";
    });
  }

  /** The resource as the previous run left it, under its name or an earlier one. */
  private before(urn: string, request: pb.RegisterResourceRequest): EmbeddedResource | undefined {
    const urns = [urn, ...request.getAliasesList().map((alias) => alias.getUrn() || this.aliasUrn(alias.getSpec(), request))];
    return this.options.previous.find((resource) => resource.id !== "" && urns.includes(resource.urn));
  }

  private aliasUrn(spec: ReturnType<ReturnType<pb.RegisterResourceRequest["getAliasesList"]>[number]["getSpec"]>, request: pb.RegisterResourceRequest): string {
    const parent = spec?.getNoparent() ? "" : spec?.getParenturn() || request.getParent();
    return this.urn(parent, spec?.getType() || request.getType(), spec?.getName() || request.getName());
  }

  private async importable(request: pb.RegisterResourceRequest, scope: ProviderScope) {
    const behaviour = resourceBehaviour(this.options.tables, request.getType());
    const found = await behaviour.read(request.getImportid(), scope);
    if (!found) throw new Error(`resource '${request.getImportid()}' does not exist`);
    return { ...found, inputs: readInputs(behaviour, found.inputs, fromStruct(request.getObject())) };
  }

  private async readExisting(request: pb.ReadResourceRequest): Promise<pb.ReadResourceResponse> {
    const [type, name, parent, id] = [request.getType(), request.getName(), request.getParent(), request.getId()];
    const urn = this.urn(parent, type, name);
    const found = await resourceBehaviour(this.options.tables, type).read(id, this.scope(type, request.getProvider()));
    if (!found) throw new Error(`resource '${id}' does not exist`);
    const outputs = this.seal(found.outputs, request.getAdditionalsecretoutputsList());
    return new pb.ReadResourceResponse().setUrn(urn).setProperties(toStruct(outputs));
  }

  private seal(outputs: Properties, secretNames: readonly string[]): Properties {
    return { ...outputs, ...Object.fromEntries(secretNames.filter((key) => key in outputs).map((key) => [key, envelope(unwrap({ key: outputs[key] }).plain.key)])) };
  }
}

/** The stack's `aws:*` keys, as the default provider of a package gets them. */
function packageConfig(config: Readonly<Record<string, string>>, packageName: string): Record<string, string> {
  const prefix = `${packageName}:`;
  const own = Object.entries(config).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
}

/** The SDK shows `details` of a failed call and drops the message. */
function serviceError(error: unknown): Error {
  const message = messageOf(error);
  return Object.assign(new Error(message), { code: 2, details: message });
}
