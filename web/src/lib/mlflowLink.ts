/*
 * MLflow's client prints where a run can be seen as a page of MLflow's own:
 * <tracking URI>/#/experiments/1/runs/<32 hex digits>. These are the pages here that show the same.
 */
const PLACE = /^\/(?:p\/([^/]+)\/?)?$/;
const RUN = /^#\/experiments\/\d+\/runs\/([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})/;

/* Null for what is no such link. Without a project in it, MLflow's clients speak to "default". */
export function pathOfMlflowLink(pathname: string, hash: string): string | null {
    const place = PLACE.exec(pathname);
    if (place === null || !hash.startsWith("#/")) return null;
    const project = `/projects/${place[1] ?? "default"}`;
    const run = RUN.exec(hash);
    if (run !== null) return `${project}/runs/${run.slice(1, 6).join("-")}`;
    return hash.startsWith("#/models") ? `${project}/models` : `${project}/experiments`;
}
