/** From a permission that is missing to the role that gives it. */
import { grantedRoles } from "./grants.js";
import { rolesGranting } from "./roles.js";

const granted: readonly string[] = Object.values(grantedRoles);

/** The narrowest predefined role that has a permission, one that integrations grant anyway before any other; undefined where none is known. */
export function narrowestRole(permission: string): string | undefined {
  const granting = rolesGranting(permission);
  return granting.find((role) => granted.includes(role) && role.includes(".")) ?? granting[0];
}
