/** Joins class names, leaving out the false ones. */
export function cx(...names: (string | false | null | undefined)[]): string {
    return names.filter(Boolean).join(" ");
}
