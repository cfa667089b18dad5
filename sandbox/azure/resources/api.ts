/** Calls of Azure Resource Manager on behalf of Pulumi's azure-native provider, and errors in its words. */
import { azureClouds } from "../../../facts/azure/clouds.js";
import { FaultError, type Properties } from "../../types.js";
import { AzureError, type AzureCaller, type AzureCloud, type AzureScope } from "../types.js";
import { callerOf } from "./credentials.js";

/** A failed call, as the provider prints it. */
export class CallError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    /** The service's own words. */
    readonly reason: string,
  ) {
    super(`Status=${status} Code="${code}" Message="${reason}"`);
    this.name = "CallError";
  }
}

export type Query = Readonly<Record<string, string>>;

/** Resource Manager as one provider instance sees it. */
export class Api {
  #caller: Promise<AzureCaller> | undefined;

  constructor(
    readonly cloud: AzureCloud,
    readonly scope: AzureScope,
  ) {}

  /** Throws {@link CallError}. `id` is a path below Resource Manager's host. */
  async call<T = Properties>(method: string, id: string, apiVersion: string, body?: object, query: Query = {}): Promise<T> {
    const search = new URLSearchParams({ "api-version": apiVersion, ...query });
    try {
      return await this.cloud.call<T>(await (this.#caller ??= callerOf(this.cloud, this.scope)), method, `https://${azureClouds[this.scope.cloud].armHost}${id}?${search.toString()}`, body);
    } catch (error) {
      throw callError(error);
    }
  }

  /** As `call`, but undefined when there is no such thing. */
  async find<T = Properties>(method: string, id: string, apiVersion: string, body?: object): Promise<T | undefined> {
    try {
      return await this.call<T>(method, id, apiVersion, body);
    } catch (error) {
      if (error instanceof CallError && error.status === 404) return undefined;
      throw error;
    }
  }
}

function callError(error: unknown): unknown {
  if (error instanceof AzureError) return new CallError(error.status, error.code, error.message);
  if (error instanceof FaultError) return new CallError(error.fault.status, error.fault.code, error.fault.message);
  return error;
}
