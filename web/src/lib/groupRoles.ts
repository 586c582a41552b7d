import { ROLES, type Role } from "./grantable";

export interface GroupRole {
    group: string;
    role: Role;
}

/** One "group = role" a line, as an owner types it; null when a line is something else. */
export function parseGroupRoles(text: string): GroupRole[] | null {
    const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
    const rows = lines.map((line) => {
        const at = line.lastIndexOf("=");
        const group = line.slice(0, at).trim();
        const role = ROLES.find((name) => name === line.slice(at + 1).trim().toLowerCase());
        return at > 0 && group !== "" && role ? { group, role } : null;
    });
    return rows.some((row) => row === null) ? null : (rows as GroupRole[]);
}

export function formatGroupRoles(rows: { group: string; role: string }[]): string {
    return rows.map(({ group, role }) => `${group} = ${role}`).join("\n");
}
