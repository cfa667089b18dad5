/** The kinds of grants that a role's permissions are composed of; each becomes one inline policy of that name. */
import * as pulumi from "@pulumi/pulumi";
import type { InputChecks } from "../inputs.js";
import {
  checkCodebuildProjectGrant,
  codebuildProjectStatements,
  shortestCodebuildProjectGrant,
  type CodebuildProjectGrantArgs,
} from "./codebuild-project-grant.js";
import { checkLambdaFunctionsGrant, lambdaFunctionsStatements, shortestLambdaFunctionsGrant, type LambdaFunctionsGrantArgs } from "./lambda-functions-grant.js";
import { policyDocument, serializePolicy, type PolicyStatement } from "./policy.js";
import { permissionsTooLong, permissionsViolation } from "./policy-checks.js";
import { checkS3ObjectsGrant, s3ObjectsStatements, shortestS3ObjectsGrant, type S3ObjectsGrantArgs } from "./s3-objects-grant.js";

/** What a role may do: one optional list for each kind of grant. */
export interface GrantsArgs {
  /** Buckets whose objects the workloads may list, read, write and delete. */
  s3Objects?: S3ObjectsGrantArgs[] | undefined;
  /** CodeBuild projects whose builds the workloads may start and read. */
  codebuildProjects?: CodebuildProjectGrantArgs[] | undefined;
  /** Lambda functions that the workloads may read, and remove where asked for. */
  lambdaFunctions?: LambdaFunctionsGrantArgs[] | undefined;
}

export interface InlinePolicy {
  name: string;
  document: pulumi.Output<string>;
}

interface GrantKind<Args, Grant> {
  /** Name of the inline policy, and the kind in the contract. */
  name: string;
  property: keyof GrantsArgs;
  check: (checks: InputChecks, path: string, args: Args) => pulumi.Output<Grant>;
  /** Of the grant as far as it is known now, for a first look at the policy's size. */
  shortest: (args: Args) => Grant;
  statements: (grant: Grant) => PolicyStatement[];
}

interface Composed {
  name: string;
  property: keyof GrantsArgs;
  shortest: string;
  document: pulumi.Output<string>;
}

/**
 * Checks all grants, and hands on what makes their policies; to be called after the component's checks are finished.
 * Room in the role's inline policies is judged for all kinds together.
 */
export function checkGrants(checks: InputChecks, args: GrantsArgs): () => InlinePolicy[] {
  const composed = [
    ...compose(checks, args.s3Objects, {
      name: "s3-objects",
      property: "s3Objects",
      check: checkS3ObjectsGrant,
      shortest: shortestS3ObjectsGrant,
      statements: s3ObjectsStatements,
    }),
    ...compose(checks, args.codebuildProjects, {
      name: "codebuild-project",
      property: "codebuildProjects",
      check: checkCodebuildProjectGrant,
      shortest: shortestCodebuildProjectGrant,
      statements: codebuildProjectStatements,
    }),
    ...compose(checks, args.lambdaFunctions, {
      name: "lambda-functions",
      property: "lambdaFunctions",
      check: checkLambdaFunctionsGrant,
      shortest: shortestLambdaFunctionsGrant,
      statements: lambdaFunctionsStatements,
    }),
  ];
  const path = composed.map(({ property }) => property).join(", ");
  checks.value(path, composed.map(({ shortest }) => shortest), permissionsTooLong);
  return () => {
    const documents = checks.value(path, pulumi.all(composed.map(({ document }) => document)), permissionsViolation);
    return composed.map(({ name }, index) => ({ name, document: documents.apply((known) => known[index] ?? "") }));
  };
}

function compose<Args, Grant>(checks: InputChecks, args: Args[] | undefined, kind: GrantKind<Args, Grant>): Composed[] {
  if (args === undefined || args.length === 0) return [];
  const text = (grants: Grant[]) => serializePolicy(policyDocument(grants.flatMap(kind.statements)));
  const grants = args.map((grant, index) => kind.check(checks, `${kind.property}[${index}]`, grant));
  return [
    {
      name: kind.name,
      property: kind.property,
      shortest: text(args.map(kind.shortest)),
      document: pulumi.all(grants).apply((known) => text(known as Grant[])),
    },
  ];
}
