/** Accounts exist as soon as somebody names them; each has an administrator from the start. */
import { SANDBOX_USER_PATH } from "../../facts/sandbox.js";
import type { Clock } from "../types.js";
import { type Credentials, userCaller } from "./credentials.js";
import type { IamStore, UserRecord } from "./iam-store.js";
import { timestamp, uniqueId } from "./identifiers.js";
import type { AwsAccessKey, AwsCaller } from "./types.js";

export const DEFAULT_ACCOUNT_ID = "111122223333";
const ADMINISTRATOR = "administrator";

export class Accounts {
  constructor(
    private readonly iam: IamStore,
    private readonly credentials: Credentials,
    private readonly clock: Clock,
  ) {}

  /** Makes what is missing. Throws for text that is no account id. */
  administrator(accountId: string): { caller: AwsCaller; accessKey: AwsAccessKey } {
    if (!/^\d{12}$/.test(accountId)) throw new Error(`An AWS account id has 12 digits; got ${JSON.stringify(accountId)}.`);
    const user = this.iam.user(accountId, ADMINISTRATOR) ?? this.#create(accountId);
    const [known] = this.credentials.keysOf(user);
    const accessKey = known
      ? { accessKeyId: known.id, secretAccessKey: known.key.secretAccessKey }
      : this.#key(user);
    return { caller: userCaller(user), accessKey };
  }

  #key(user: UserRecord): AwsAccessKey {
    const { accessKeyId, secretAccessKey } = this.credentials.issueUserKey(user);
    return { accessKeyId, secretAccessKey };
  }

  #create(accountId: string): UserRecord {
    const user: UserRecord = {
      accountId,
      userName: ADMINISTRATOR,
      userId: uniqueId("AIDA"),
      arn: `arn:aws:iam::${accountId}:user${SANDBOX_USER_PATH}${ADMINISTRATOR}`,
      path: SANDBOX_USER_PATH,
      createDate: timestamp(this.clock.now()),
      tags: [],
      inlinePolicies: {},
      attachedPolicies: ["arn:aws:iam::aws:policy/AdministratorAccess"],
    };
    this.iam.putUser(user, true);
    return user;
  }
}
