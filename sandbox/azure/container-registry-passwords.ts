/** The admin user's two passwords: made when they are first looked at. https://learn.microsoft.com/azure/container-registry/container-registry-authentication#admin-account */
import { randomBytes } from "node:crypto";
import { SANDBOX_SECRET_MARK } from "../../facts/sandbox.js";
import type { ResourceStore } from "../types.js";
import { incarnationOf } from "./container-registry-access.js";
import type { ArmResource } from "./service.js";

export type PasswordName = "password" | "password2";

export interface AdminPassword {
  name: PasswordName;
  value: string;
}

/** The store keeps secrets under types that begin so. */
const PASSWORDS = "secret:azure/registry-password";

export function adminPasswords(store: ResourceStore, registry: ArmResource): AdminPassword[] {
  const known = store.get<AdminPassword[]>(PASSWORDS, incarnationOf(registry));
  if (known) return known;
  const made: AdminPassword[] = [fresh("password"), fresh("password2")];
  store.put(PASSWORDS, incarnationOf(registry), made);
  return made;
}

export function regeneratePassword(store: ResourceStore, registry: ArmResource, name: PasswordName): AdminPassword[] {
  const passwords = adminPasswords(store, registry).map((each) => (each.name === name ? fresh(name) : each));
  store.put(PASSWORDS, incarnationOf(registry), passwords);
  return passwords;
}

const fresh = (name: PasswordName): AdminPassword => ({ name, value: `${SANDBOX_SECRET_MARK}${randomBytes(24).toString("base64url")}` });
