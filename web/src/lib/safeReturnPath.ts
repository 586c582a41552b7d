/**
 * Where to go after signing in: only a path of this origin. "//host", "/\host", schemes and control
 * characters (which URL parsers drop, turning "/\t/host" into "//host") all fall back to the start page.
 */
export function safeReturnPath(path: string | undefined | null): string {
    if (!path || !/^\/(?![/\\])[\x21-\x7e]*$/.test(path) || path.includes("\\")) return "/";
    return path.startsWith("/sign-in") ? "/" : path;
}
