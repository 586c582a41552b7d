import { expect, test } from "vitest";
import { columnsText, shownColumns } from "./runColumnIds";

test("without a choice the metrics that usually matter come first, and the machine's are left out", () => {
    expect(shownColumns(undefined, ["aa", "loss", "system/cpu", "val/loss"])).toEqual(["state", "name", "experiment", "dataset", "metrics.val/loss", "metrics.loss", "metrics.aa", "duration", "created_at"]);
});

test("a choice survives the URL, commas and quotes included", () => {
    const columns = ["name", 'metrics."a, b"', "min(metrics.loss)"];
    expect(shownColumns(columnsText(columns), [])).toEqual(columns);
});
