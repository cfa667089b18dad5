/** What somebody who reads the subscription's configuration can say about a live refusal: the seam between token and account evidence. */
import type { GrantOf } from "../../contract/schema.js";
import { judge, type Cause, type Suspect } from "../causes.js";
import type { Diagnosis } from "../check.js";
import type { AzureCauseCode } from "./causes.js";

/** What was refused. */
export type Question =
  /** A token for the contract's workload; `code` is Entra's. */
  | { about: "exchange"; code: string }
  | RightQuestion
  /** The correlation id of a resource group, which is not the contract's. */
  | { about: "tag"; grant: GrantOf<"azure-resource-group"> }
  /** The network in front of a storage account or a registry, by ARM id. */
  | { about: "network"; scope: string };

export interface RightQuestion {
  about: "right";
  /** As roles name it: `Microsoft.Resources/subscriptions/resourceGroups/read`. */
  action: string;
  dataAction: boolean;
  /** ARM id. */
  scope: string;
  /** ARM id of the managed identity that it is about, where that is not the contract's own principal. */
  principal?: string | undefined;
  /** For conditions, such as `Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path`. */
  attributes?: Readonly<Record<string, string>>;
}

export interface Explanation {
  /** What the configuration shows to be at fault. */
  cause?: Cause | undefined;
  /** What it shows not to be. */
  excluded?: readonly AzureCauseCode[];
}

export interface AccountReader {
  /** An empty explanation where the configuration cannot be read. */
  explain(question: Question): Promise<Explanation>;
}

interface Narrowing {
  account: AccountReader | undefined;
}

/** Suspects, less those that the account excludes; the one that it names, where it does. */
export async function narrow({ account }: Narrowing, question: Question, suspects: readonly Suspect[], answered: string): Promise<Suspect[]> {
  const { cause, excluded = [] } = (await account?.explain(question)) ?? {};
  if (cause) return [confirmed({ ...cause, evidence: [...new Set([answered, ...cause.evidence])] })];
  const left = suspects.filter((suspect) => !(excluded as readonly string[]).includes(suspect.cause.code));
  return left.length > 0 ? left : [...suspects];
}

/** Whether the account shows a cause: then waiting is for nothing. */
export async function isExplained({ account }: Narrowing, question: Question): Promise<boolean> {
  return (await account?.explain(question))?.cause !== undefined;
}

export function confirmed(found: Cause): Suspect {
  return { cause: found, confirmed: true };
}

export function open(found: Cause): Suspect {
  return { cause: found, confirmed: false };
}

/** Suspects as a diagnosis; undefined when nothing is suspected. */
export function diagnosis(suspects: readonly Suspect[], layersNotRead: readonly string[] = []): Diagnosis | undefined {
  const causes = judge(suspects);
  return causes.length === 0 ? undefined : { causes, layersNotRead: causes.length === 1 ? [] : [...layersNotRead] };
}
