import { expect, test } from "vitest";
import { neighbour, placeGraph } from "./layeredGraph";

const GRAPH = placeGraph(
    ["data", "run-a", "run-b", "model"],
    [
        { from: "data", to: "run-a" },
        { from: "data", to: "run-b" },
        { from: "run-a", to: "model" },
        { from: "gone", to: "model" },
    ],
);

test("placeGraph lays sources left of results and drops edges to unknown nodes", () => {
    const x = Object.fromEntries(GRAPH.nodes.map((node) => [node.id, node.x]));
    expect(x.data!).toBeLessThan(x["run-a"]!);
    expect(x["run-a"]!).toBeLessThan(x.model!);
    expect(GRAPH.edges).toHaveLength(3);
});

test("neighbour follows edges sideways and the layer up and down", () => {
    expect(neighbour(GRAPH, "model", "ArrowLeft")).toBe("run-a");
    expect(neighbour(GRAPH, "model", "ArrowRight")).toBeNull();
    const vertical = [neighbour(GRAPH, "run-a", "ArrowDown"), neighbour(GRAPH, "run-a", "ArrowUp")];
    expect(vertical).toContain("run-b");
});
