// WorkOS's Node SDK against a running Rescind: from an empty service to a revocation that holds.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const { WorkOS } = createRequire(`${process.env.SDK}/`)("@workos-inc/node");
const url = new URL(process.env.RESCIND_URL);
const workos = new WorkOS(process.env.RESCIND_KEY, {
  apiHostname: url.hostname, port: Number(url.port), https: false,
});
const { authorization, organizations, userManagement, events } = workos;

const acme = await organizations.createOrganization({
  name: "Acme", externalId: "acme", metadata: { tier: "gold" },
});
assert.equal((await organizations.getOrganizationByExternalId("acme")).id, acme.id);
assert.equal((await organizations.updateOrganization({ organization: acme.id, name: "ACME" })).name, "ACME");
assert.deepEqual((await organizations.listOrganizations()).data.map((each) => each.id), [acme.id]);

const ada = await userManagement.createOrganizationMembership({ organizationId: acme.id, userId: "user_ada" });
const members = await userManagement.listOrganizationMemberships({ organizationId: acme.id });
assert.deepEqual(members.data.map((each) => each.id), [ada.id]);

await authorization.createPermission({ slug: "site:edit", name: "Edit" });
assert.equal((await authorization.listPermissions()).data.length, 1);
await authorization.createEnvironmentRole({ slug: "editor", name: "Editor" });
await authorization.addEnvironmentRolePermission("editor", { permissionSlug: "site:edit" });
const roles = await authorization.listOrganizationRoles(acme.id);
assert.deepEqual(roles.data.map((each) => [each.slug, each.permissions]), [["editor", ["site:edit"]]]);

const site = await authorization.createResource({
  externalId: "site", name: "Site", resourceTypeSlug: "project", organizationId: acme.id,
});
const asked = { organizationMembershipId: ada.id, permissionSlug: "site:edit", resourceId: site.id };
const may = async () => (await authorization.check(asked)).authorized;

// A role of its own: given, listed, taken back.
assert.equal(await may(), false);
const given = await authorization.assignRole({
  organizationMembershipId: ada.id, roleSlug: "editor", resourceId: site.id,
});
assert.equal(await may(), true);
const held = await authorization.listRoleAssignments({ organizationMembershipId: ada.id });
assert.deepEqual(held.data.map((each) => each.id), [given.id]);
await authorization.removeRole({
  organizationMembershipId: ada.id, roleSlug: "editor", resourceId: site.id,
});
assert.equal(await may(), false);

// A role through a group: what is taken off the group is denied when the call returns.
const group = (await workos.post(`/organizations/${acme.id}/groups`, { name: "Web" })).data;
const path = `/organizations/${acme.id}/groups/${group.id}/organization-memberships`;
await workos.post(path, { organization_membership_id: ada.id });
const onGroup = `/authorization/groups/${group.id}/role_assignments`;
const assignment = (await workos.post(onGroup, { role_slug: "editor" })).data;
assert.equal(await may(), true);
const who = await authorization.listMembershipsForResource({
  resourceId: site.id, permissionSlug: "site:edit", assignment: "indirect",
});
assert.deepEqual(who.data.map((each) => each.id), [ada.id]);
const what = await authorization.listResourcesForMembership({
  organizationMembershipId: ada.id, permissionSlug: "site:edit", parentResourceId: site.parentResourceId,
});
assert.deepEqual(what.data.map((each) => each.externalId), ["site"]);
await workos.delete(`${onGroup}/${assignment.id}`);
assert.equal(await may(), false);

const told = await events.listEvents({ events: ["organization.created", "role.updated"] });
// One is of the organization, the other of the environment: there is no order between the two.
assert.deepEqual(told.data.map((each) => each.event).sort(), ["organization.created", "role.updated"]);
await authorization.deleteResourceByExternalId({
  organizationId: acme.id, resourceTypeSlug: "project", externalId: "site",
});
await assert.rejects(authorization.getResource(site.id), { status: 404 });
await userManagement.deleteOrganizationMembership(ada.id);
await organizations.deleteOrganization(acme.id);
await assert.rejects(organizations.getOrganization(acme.id), { status: 404 });
console.log("the Node SDK's scenario is done");
