/** `aws:cloudwatch/*`: log groups. https://www.pulumi.com/registry/packages/aws/api-docs/cloudwatch/loggroup/ */
import { during, type Members } from "./api.js";
import type { Context, Definition } from "./behaviour.js";
import { compact, list, tagChange, tagsOf } from "./values.js";

const noGroup = ["ResourceNotFoundException"];

async function setRetention({ api, region }: Context, logGroupName: string, days: unknown): Promise<void> {
  const none = days === undefined || days === 0;
  await api.call("logs", none ? "DeleteRetentionPolicy" : "PutRetentionPolicy", none ? { logGroupName } : { logGroupName, retentionInDays: days }, region);
}

export const logGroup: Definition = {
  type: "aws:cloudwatch/logGroup:LogGroup",
  inputs: ["name", "namePrefix", "retentionInDays", "skipDestroy", "tags"],
  defaults: { skipDestroy: false },
  replaceOn: ["name", "namePrefix"],
  name: { property: "name", prefixProperty: "namePrefix", maxLength: 512 },
  computed: ["retentionInDays"],
  local: ["namePrefix", "skipDestroy"],
  notPlayed: {
    deletionProtectionEnabled: "groups without deletion protection",
    kmsKeyId: "groups that are encrypted by CloudWatch Logs itself",
    logGroupClass: "the STANDARD class",
  },
  known: (inputs, { api, region }) => ({
    arn: `arn:${api.partition}:logs:${region}:${api.scope.accountId}:log-group:${String(inputs.name)}`,
    tagsAll: tagsOf(inputs.tags),
  }),

  async create(inputs, { api, region }) {
    const logGroupName = String(inputs.name);
    const tags = tagsOf(inputs.tags);
    const input = compact({ logGroupName, tags: Object.keys(tags).length > 0 ? tags : undefined });
    await during(`creating CloudWatch Logs Log Group (${logGroupName})`, api.call("logs", "CreateLogGroup", input, region));
    return logGroupName;
  },

  async complete(id, inputs, context) {
    if (inputs.retentionInDays === undefined || inputs.retentionInDays === 0) return;
    await during(`setting CloudWatch Logs Log Group (${id}) retention policy`, setRetention(context, id, inputs.retentionInDays));
  },

  async read(id, { api, region }) {
    const doing = `reading CloudWatch Logs Log Group (${id})`;
    const answer = await during(doing, api.call("logs", "DescribeLogGroups", { logGroupNamePrefix: id }, region));
    const found = list<Members>(answer.logGroups).find(({ logGroupName }) => logGroupName === id);
    if (!found) return undefined;
    const tagged = await during(doing, api.call("logs", "ListTagsForResource", { resourceArn: found.logGroupArn }, region));
    const tags = tagsOf(tagged.tags);
    return {
      outputs: {
        arn: found.logGroupArn,
        deletionProtectionEnabled: false,
        logGroupClass: "STANDARD",
        name: id,
        namePrefix: "",
        retentionInDays: found.retentionInDays ?? 0,
        tags,
        tagsAll: tags,
      },
    };
  },

  async update(id, olds, news, context) {
    const { api, region } = context;
    if ((news.retentionInDays ?? 0) !== (olds.retentionInDays ?? 0)) {
      await during(`setting CloudWatch Logs Log Group (${id}) retention policy`, setRetention(context, id, news.retentionInDays));
    }
    const { removed, added } = tagChange(olds.tags, news.tags);
    const doing = `updating tags for CloudWatch Logs Log Group (${id})`;
    if (removed.length > 0) await during(doing, api.call("logs", "UntagResource", { resourceArn: olds.arn, tagKeys: removed }, region));
    if (Object.keys(added).length > 0) await during(doing, api.call("logs", "TagResource", { resourceArn: olds.arn, tags: added }, region));
  },

  async delete(id, outputs, { api, region }) {
    if (outputs.skipDestroy === true) return;
    await during(`deleting CloudWatch Logs Log Group (${id})`, api.find("logs", "DeleteLogGroup", { logGroupName: id }, noGroup, region));
  },
};
