// Words for what the API names.

export const ROLES = {
  owner: ["Owner", "Everything, keys included"],
  policy: ["Policy", "Settings, applications and identity sources"],
  support: ["Support", "Users and their numbers"],
  auditor: ["Auditor", "Reads everything, changes nothing"],
};

/** What each role may do, as the API has it; the API decides, this only spares pages that it would refuse. */
const MAY = {
  owner: ["readPolicy", "writePolicy", "readUsers", "writeUsers", "readKeys", "writeKeys", "readAudit"],
  policy: ["readPolicy", "writePolicy", "readAudit"],
  support: ["readUsers", "writeUsers"],
  auditor: ["readPolicy", "readUsers", "readKeys", "readAudit"],
};

export const may = (role, permission) => (MAY[role] ?? []).includes(permission);

export const EVENTS = {
  "tenant.created": "Tenant created",
  "tenant.changed": "Tenant changed",
  "tenant.security.changed": "Tenant's security settings changed",
  "application.created": "Application created",
  "application.changed": "Application changed",
  "application.deleted": "Application deleted",
  "application.security.changed": "Application's security settings changed",
  "application.secret.added": "Application secret added",
  "application.secret.removed": "Application secret revoked",
  "identity_source.created": "Identity source added",
  "identity_source.deleted": "Identity source removed",
  "admin_key.created": "Administrator key created",
  "admin_key.deleted": "Administrator key revoked",
  "console_session.started": "Signed in to the console",
  "console_session.ended": "Signed out of the console",
  "user.created": "User created",
  "user.changed": "User changed",
  "user.deleted": "User deleted",
  "phone.bound": "Number bound",
  "phone.replaced": "Number replaced",
  "phone.unbound": "Number unbound",
  "factor.reset": "Wrong codes forgotten",
  "factor.disabled": "Second factor disabled",
  "code.accepted": "Right code",
  "code.rejected": "Wrong code",
  "login.blocked": "Login blocked",
  "send.refused": "Message refused by a rule",
  "recovery_codes.made": "Recovery codes made",
  "recovery_code.used": "Recovery code used",
  "trusted_device.added": "Trusted device added",
  "trusted_device.revoked": "Trusted device revoked",
  "qr_login.approved": "QR sign-in approved",
  "qr_login.rejected": "QR sign-in rejected",
};

export const event = (type) => EVENTS[type] ?? type;

export const SCENARIOS = {
  approved: "Approved: the code is all zeros",
  wrong: "Wrong: every code is wrong",
  expired: "Expired: every code has expired",
  undeliverable: "Undeliverable: sending fails",
  blocked: "Blocked: the login is blocked",
  throttled: "Throttled: a limit refuses",
};

export const DECISIONS = {
  source_off: "The identity source's own switch is off",
  application: "The application's own rules",
  tenant: "The tenant's rules",
  source_on_tenant_factor: "The identity source's switch is on, with the tenant's factor",
  no_factor: "No factor is on anywhere",
};

export const LIMITS = [
  ["per_phone_hour", "One number, an hour"],
  ["per_phone_day", "One number, a day"],
  ["per_user_hour", "One user, an hour"],
  ["per_ip_hour", "One address, an hour"],
  ["per_range_hour", "One range of numbers, an hour"],
  ["per_country_day", "One country, a day"],
  ["per_application_day", "One application, a day"],
  ["per_tenant_day", "The tenant, a day"],
];

const regions = new Intl.DisplayNames(["en"], { type: "region", fallback: "none" });

export const country = (code) => regions.of(code) ?? code;

// Regions that are no countries: the European Union, the United Nations, pseudo-locales, unknown.
const NO_COUNTRY = new Set(["EU", "EZ", "UN", "XA", "XB", "ZZ", "QO"]);
/** A code of before, like that of a country that became another, has a name too: the one that took its place is meant. */
const isCurrent = (code) => Intl.getCanonicalLocales(`und-${code}`)[0] === `und-${code}`;

/** Every country that has a name, in the order of names. */
export function countries() {
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  const codes = letters.flatMap((first) => letters.map((second) => first + second));
  const named = codes.filter((code) => regions.of(code) && isCurrent(code) && !NO_COUNTRY.has(code));
  return named.map((code) => [code, regions.of(code)]).sort(([, a], [, b]) => a.localeCompare(b));
}
