/** Access keys of users and sessions, and whom each of them proves. */
import { timingSafeEqual } from "node:crypto";
import type { Clock, ResourceStore } from "../types.js";
import type { IamStore, UserRecord } from "./iam-store.js";
import { accessKeyId, secretAccessKey, sessionToken, timestamp } from "./identifiers.js";
import type { AwsAccessKey, AwsCaller } from "./types.js";

/** Under this type the store keeps secrets: they are persisted apart and never listed. */
const KEY = "secret:aws/access-key";

export interface UserKey {
  kind: "user";
  accountId: string;
  userName: string;
  /** A user made again under the same name does not get the old one's keys. */
  userId: string;
  secretAccessKey: string;
  status: "Active" | "Inactive";
  createDate: string;
}

export interface SessionKey {
  kind: "session";
  caller: AwsCaller;
  secretAccessKey: string;
  sessionToken: string;
  /** ISO 8601. */
  expiresAt: string;
}

export type KeyRecord = UserKey | SessionKey;

/** Compares without telling by the time it takes where two texts differ. */
export function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

export class Credentials {
  constructor(
    private readonly store: ResourceStore,
    private readonly iam: IamStore,
    private readonly clock: Clock,
  ) {}

  find(id: string): KeyRecord | undefined {
    return this.store.get<KeyRecord>(KEY, id);
  }

  /** Whom the key proves now; undefined when it is inactive, or its user or role is gone. */
  caller(key: KeyRecord): AwsCaller | undefined {
    if (key.kind === "session") return this.#sessionCaller(key);
    const user = this.iam.user(key.accountId, key.userName);
    return key.status === "Active" && user?.userId === key.userId ? userCaller(user) : undefined;
  }

  issueUserKey(user: UserRecord): AwsAccessKey & { createDate: string } {
    const id = accessKeyId("AKIA");
    const { accountId, userName, userId } = user;
    const createDate = timestamp(this.clock.now());
    const key: UserKey = { kind: "user", accountId, userName, userId, secretAccessKey: secretAccessKey(), status: "Active", createDate };
    this.store.put(KEY, id, key);
    return { accessKeyId: id, secretAccessKey: key.secretAccessKey, createDate };
  }

  issueSession(caller: AwsCaller, expiresAt: Date): Required<AwsAccessKey> {
    const id = accessKeyId("ASIA");
    const key: SessionKey = { kind: "session", caller, secretAccessKey: secretAccessKey(), sessionToken: sessionToken(), expiresAt: timestamp(expiresAt) };
    this.store.put(KEY, id, key);
    return { accessKeyId: id, secretAccessKey: key.secretAccessKey, sessionToken: key.sessionToken };
  }

  keysOf(user: UserRecord): { id: string; key: UserKey }[] {
    return this.store
      .list<KeyRecord>(KEY)
      .flatMap(({ id, value }) => (value.kind === "user" && value.userId === user.userId ? [{ id, key: value }] : []));
  }

  setStatus(id: string, key: UserKey, status: UserKey["status"]): void {
    this.store.put(KEY, id, { ...key, status });
  }

  delete(id: string): void {
    this.store.delete(KEY, id);
  }

  /** A session ends with its role. */
  #sessionCaller(key: SessionKey): AwsCaller | undefined {
    const { roleArn, uniqueId } = key.caller.principal;
    if (roleArn === undefined) return key.caller;
    const role = this.iam.roleByArn(roleArn, "effective");
    return role?.roleId === uniqueId ? key.caller : undefined;
  }
}

export function userCaller(user: UserRecord): AwsCaller {
  return { principal: { kind: "user", arn: user.arn, accountId: user.accountId, uniqueId: user.userId } };
}
