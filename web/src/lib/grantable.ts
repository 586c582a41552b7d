export const ROLES = ["viewer", "editor", "admin", "owner"] as const;
export type Role = (typeof ROLES)[number];

/** The roles that somebody of this role may give: only owners make owners. */
export function grantable(role: string): readonly Role[] {
    if (role === "owner") return ROLES;
    return role === "admin" ? ROLES.slice(0, 3) : [];
}
