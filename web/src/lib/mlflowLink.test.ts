import { expect, test } from "vitest";
import { pathOfMlflowLink } from "./mlflowLink";

test("what MLflow's client prints leads to the page of the run", () => {
    const hash = "#/experiments/1/runs/c8ad60ea30124a3a837234bc7358938c";
    expect(pathOfMlflowLink("/p/vision/", hash)).toBe("/projects/vision/runs/c8ad60ea-3012-4a3a-8372-34bc7358938c");
    expect(pathOfMlflowLink("/p/vision", hash)).toBe("/projects/vision/runs/c8ad60ea-3012-4a3a-8372-34bc7358938c");
    expect(pathOfMlflowLink("/", hash)).toBe("/projects/default/runs/c8ad60ea-3012-4a3a-8372-34bc7358938c");
});

test("experiments and models lead to their lists, all else nowhere", () => {
    expect(pathOfMlflowLink("/p/vision/", "#/experiments/1")).toBe("/projects/vision/experiments");
    expect(pathOfMlflowLink("/", "#/models/net/versions/2")).toBe("/projects/default/models");
    expect(pathOfMlflowLink("/", "")).toBeNull();
    expect(pathOfMlflowLink("/projects/vision/runs", "#/experiments/1")).toBeNull();
    expect(pathOfMlflowLink("/", "#main")).toBeNull();
});
