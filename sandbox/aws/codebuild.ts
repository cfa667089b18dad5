/** AWS CodeBuild in the sandbox: projects, and builds that really run. */
import { CodeBuildContext } from "./codebuild-context.js";
import { buildOperations } from "./codebuild-builds.js";
import { projectOperations } from "./codebuild-projects.js";
import { CodeBuildStore } from "./codebuild-store.js";
import type { CallAs } from "./service-role.js";
import type { AwsService, AwsServiceContext } from "./service.js";

/** `callAs` is how builds reach the other services, with their role's session. */
export function createCodeBuild(context: AwsServiceContext, callAs: CallAs): AwsService {
  const codebuild = new CodeBuildContext(context, new CodeBuildStore(context.core.store));
  return { name: "codebuild", operations: { ...projectOperations(codebuild), ...buildOperations(codebuild, callAs) } };
}
