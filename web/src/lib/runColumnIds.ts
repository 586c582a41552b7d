/* Which columns a run list shows: attributes by their name, the rest as the filter language names them. */
import { fieldName } from "./fieldName";

export const RUN_ATTRIBUTES = ["state", "name", "experiment", "dataset", "user", "source", "tags", "duration", "created_at"] as const;
const FIRST = ["state", "name", "experiment", "dataset"];
const LAST = ["duration", "created_at"];
const PREFERRED = ["test/accuracy", "val/accuracy", "val/loss", "test/rmse", "val/rmse", "train/loss", "loss", "accuracy"];
const METRICS_AT_FIRST = 3;

/** Those in the URL ("a,b", each escaped), or a few that usually matter. */
export function shownColumns(chosen: string | undefined, metricKeys: string[]): string[] {
    if (chosen) return chosen.split(",").map(decodeURIComponent);
    const metrics = [...PREFERRED.filter((key) => metricKeys.includes(key)), ...metricKeys.filter((key) => !PREFERRED.includes(key) && !key.startsWith("system/"))];
    return [...FIRST, ...metrics.slice(0, METRICS_AT_FIRST).map((key) => fieldName({ group: "metrics", key, part: "last" })), ...LAST];
}

export function columnsText(columns: string[]): string {
    return columns.map(encodeURIComponent).join(",");
}
