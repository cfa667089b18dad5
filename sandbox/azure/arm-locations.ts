/** Regions of the clouds, a selection. https://learn.microsoft.com/azure/reliability/regions-list */
import type { AzureCloudName } from "../../facts/azure/clouds.js";
import { AzureError } from "./types.js";

/** Display names; without blanks and in lower case they are the names. */
export const LOCATIONS: Readonly<Record<AzureCloudName, readonly string[]>> = {
  public: [
    "East US",
    "East US 2",
    "Central US",
    "North Central US",
    "South Central US",
    "West Central US",
    "West US",
    "West US 2",
    "West US 3",
    "Canada Central",
    "Canada East",
    "Brazil South",
    "North Europe",
    "West Europe",
    "UK South",
    "UK West",
    "France Central",
    "Germany West Central",
    "Switzerland North",
    "Norway East",
    "Sweden Central",
    "Italy North",
    "Poland Central",
    "Spain Central",
    "UAE North",
    "Qatar Central",
    "Israel Central",
    "South Africa North",
    "Central India",
    "South India",
    "East Asia",
    "Southeast Asia",
    "Japan East",
    "Japan West",
    "Korea Central",
    "Australia East",
    "Australia Southeast",
    "New Zealand North",
    "Malaysia South",
  ],
  usgovernment: ["USGov Virginia", "USGov Texas", "USGov Arizona"],
  china: ["China East", "China East 2", "China East 3", "China North", "China North 2", "China North 3"],
};

export const locationName = (location: string): string => location.toLowerCase().replaceAll(" ", "");

/** The location's name, or ARM's refusal of one that the cloud does not have. `of` as the refusal names what it is for. */
export function readLocation(cloud: AzureCloudName, location: string, of: { group: true } | { type: string }): string {
  const name = locationName(location);
  const known = LOCATIONS[cloud].map(locationName);
  if (known.includes(name)) return name;
  throw "group" in of
    ? new AzureError(400, "LocationNotAvailableForResourceGroup", `The provided location '${location}' is not available for resource group. List of available regions is '${known.join(",")}'.`)
    : new AzureError(
        400,
        "LocationNotAvailableForResourceType",
        `The provided location '${location}' is not available for resource type '${of.type}'. List of available regions for the resource type is '${known.join(",")}'.`,
      );
}
