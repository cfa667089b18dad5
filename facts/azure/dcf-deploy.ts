/**
 * How DCF deploys to App Service. Assumed: DCF's documentation says that the resource group must have a container registry, an App
 * Service plan and an App Service, and that `Contributor` on the group lets DCF work with them; not which calls a deployment makes.
 * Replace this file alone when DCF says more.
 *
 * Here a deployment pushes an image with a token that the registry gives for the access token of Resource Manager, points the site
 * at that image, and waits until the site answers.
 */
import { CONTAINER_PREFIX } from "./app-service.js";

/** What stands behind this file: DCF's documentation as far as it goes, an assumption beyond. */
export const DCF_DEPLOY_GRADE = "assumed";

export interface DcfDeployOrder {
  /** The registry's host name, as read back. */
  loginServer: string;
  repository: string;
  tag: string;
}

/** Reference of the image: `HOST/REPOSITORY:TAG`. */
export function deployedImage({ loginServer, repository, tag }: DcfDeployOrder): string {
  return `${loginServer}/${repository}:${tag}`;
}

/** Body of `PATCH …/sites/SITE/config/web`. https://learn.microsoft.com/rest/api/appservice/web-apps/update-configuration */
export function dcfSiteUpdate(order: DcfDeployOrder) {
  return { properties: { linuxFxVersion: `${CONTAINER_PREFIX}${deployedImage(order)}` } };
}
