/**
 * The build that DCF starts for a deployment. Assumed: DCF's documentation says that it stages an archive in the bucket, that
 * Cloud Build makes a Docker image of it and pushes it, and that it is then deployed; not which steps the build has. Replace this
 * file alone when DCF says more.
 *
 * The deployment is no step of the build here. DCF's documentation gives `roles/run.developer` and the right to act as the runtime
 * account to the impersonated account, and tells of builds that succeed where the deployment fails: so the deployment is a call of
 * the Cloud Run API by that account, once the build is over.
 */
/** What stands behind this file: DCF's documentation as far as it goes, an assumption beyond. */
export const DCF_BUILD_GRADE = "assumed";

export interface DcfBuildOrder {
  /** Bucket of the staged archive, and the archive's name in it. */
  bucket: string;
  object: string;
  /** Of the archive; Cloud Build looks up the newest one where it is left out, with the build account's right. */
  generation?: string | undefined;
  /** `REGION-docker.pkg.dev/PROJECT/REPOSITORY/NAME:TAG` */
  image: string;
  /** Email of the account that the build runs as; the project's default one where it is left out. */
  serviceAccountEmail?: string | undefined;
  /** Id of the project that the account is in. */
  projectId: string;
}

/** Name under which DCF stages the source of a deployment. */
export function stagedObject(deployment: string): string {
  return `builds/${deployment}.zip`;
}

/** https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#Build */
export function dcfBuild({ bucket, object, generation, image, serviceAccountEmail, projectId }: DcfBuildOrder) {
  return {
    source: { storageSource: { bucket, object, ...(generation !== undefined && { generation }) } },
    steps: [
      { id: "build", name: "gcr.io/cloud-builders/docker", args: ["build", "-t", image, "."] },
      { id: "push", name: "gcr.io/cloud-builders/docker", args: ["push", image] },
    ],
    images: [image],
    timeout: "1200s",
    // A build with an account of its own has to say where its log goes.
    options: { logging: "CLOUD_LOGGING_ONLY" },
    ...(serviceAccountEmail !== undefined && { serviceAccount: `projects/${projectId}/serviceAccounts/${serviceAccountEmail}` }),
  };
}
