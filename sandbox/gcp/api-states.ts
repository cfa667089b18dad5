/** Which APIs are enabled in which project. Enabling propagates as grants do. */
import type { SandboxCore } from "../types.js";

const SERVICE = "gcp:serviceusage/service";

interface ServiceRecord {
  state: "ENABLED" | "DISABLED";
}

export class ApiStates {
  constructor(private readonly core: SandboxCore) {}

  /** As last written, or as enforcement sees it. */
  enabled(projectNumber: string, api: string, view: "written" | "effective" = "written"): boolean {
    const { store } = this.core;
    const id = idOf(projectNumber, api);
    return (view === "written" ? store.get<ServiceRecord>(SERVICE, id) : store.effective<ServiceRecord>(SERVICE, id))?.state === "ENABLED";
  }

  /** Every API that the project has enabled, by host name. */
  list(projectNumber: string): string[] {
    const prefix = idOf(projectNumber, "");
    return this.core.store
      .list<ServiceRecord>(SERVICE)
      .filter(({ id, value }) => id.startsWith(prefix) && value.state === "ENABLED")
      .map(({ id }) => id.slice(prefix.length))
      .sort();
  }

  enable(projectNumber: string, api: string, atOnce = false): void {
    this.#put(projectNumber, api, "ENABLED", atOnce);
  }

  disable(projectNumber: string, api: string): void {
    this.#put(projectNumber, api, "DISABLED", false);
  }

  #put(projectNumber: string, api: string, state: ServiceRecord["state"], atOnce: boolean): void {
    this.core.store.put(SERVICE, idOf(projectNumber, api), { state }, { propagates: !atOnce });
  }
}

const idOf = (projectNumber: string, api: string): string => `projects/${projectNumber}/services/${api}`;
