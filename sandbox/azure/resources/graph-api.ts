/** Calls of Microsoft Graph on behalf of Pulumi's azuread provider, and errors in its words. */
import { STATUS_CODES } from "node:http";

import { azureClouds } from "../../../facts/azure/clouds.js";
import { FaultError, type Properties } from "../../types.js";
import { AzureError, type AzureCloud, type AzureScope } from "../types.js";
import { callerOf } from "./credentials.js";
import { isObject, list } from "./values.js";

export class GraphError extends Error {
  constructor(
    readonly status: number,
    code: string,
    message: string,
  ) {
    super(`unexpected status ${status} (${status} ${STATUS_CODES[status] ?? "Unknown"}) with error: ${code}: ${message}`);
    this.name = "GraphError";
  }
}

/** Graph as one provider instance sees it. Paths are below `/v1.0`. */
export class GraphApi {
  constructor(
    readonly cloud: AzureCloud,
    readonly scope: AzureScope,
  ) {}

  /** Throws {@link GraphError}. */
  async call<T = Properties>(method: string, path: string, body?: object): Promise<T> {
    const caller = await callerOf(this.cloud, this.scope);
    try {
      return await this.cloud.call<T>(caller, method, `https://${azureClouds[this.scope.cloud].graphHost}/v1.0${path}`, body);
    } catch (error) {
      if (error instanceof AzureError) throw new GraphError(error.status, error.code, error.message);
      if (error instanceof FaultError) throw new GraphError(error.fault.status, error.fault.code, error.fault.message);
      throw error;
    }
  }

  /** As `call`, but undefined when there is no such thing. */
  async find(path: string): Promise<Properties | undefined> {
    try {
      return await this.call("GET", path);
    } catch (error) {
      if (error instanceof GraphError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** What fits a filter such as `appId eq '…'`. */
  async matching(collection: string, filter: string): Promise<Properties[]> {
    const { value } = await this.call("GET", `/${collection}?$filter=${encodeURIComponent(filter)}`);
    return list(value).filter(isObject);
  }
}

/** A text in a filter: quotes are doubled. https://learn.microsoft.com/graph/filter-query-parameter */
export const quoted = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** Puts what was being done before the error: `Could not create application: unexpected status 403 …`. */
export async function during<T>(doing: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    throw new Error(`${doing}: ${error.message}`);
  }
}
