/** The credential file that DDOE was given: `clientId`, `tenantId`, `federatedTokenIssuer`, `subject`, `audience`, against the contract. */
import { isJsonObject } from "../../trust/jwt.js";
import { fail, pass, type Check } from "../check.js";
import { cause, type AzureRun } from "./run.js";
import { differing } from "./token.js";

/** The file's members, with what the contract has for each. */
function expected({ contract: { workload }, exchange }: AzureRun): Record<string, string> {
  return { clientId: exchange.clientId, tenantId: exchange.tenantId, federatedTokenIssuer: workload.issuer, subject: workload.subject, audience: workload.audience };
}

/** @param content parsed */
export function credentialFileCheck(run: AzureRun, content: unknown): Check {
  return {
    id: "azure.credential-file",
    title: "Credential file: every field as in the contract",
    grade: "live",
    required: true,
    needs: ["contract"],
    deadlineMs: 1_000,
    run: async (scope) => {
      const wanted = expected(run);
      const file = isJsonObject(content) ? content : {};
      const differences = Object.entries(wanted).flatMap(([field, value]) => differenceOf(field, file[field], value));
      const unknownFields = Object.keys(file).filter((field) => !(field in wanted));
      if (unknownFields.length > 0) scope.remark(`The credential file has fields that the platform does not document: ${unknownFields.join(", ")}`);
      if (differences.length === 0) return pass(Object.keys(wanted).join(", "));
      return fail(differences.join("; "), cause(run, "azure.credential-file.differs", differences));
    },
  };
}

function differenceOf(field: string, found: unknown, value: string): string[] {
  if (found === value) return [];
  if (found === undefined) return [`${field} is absent`];
  return [`${field} is ${differing(typeof found === "string" ? found : JSON.stringify(found), value)}`];
}
