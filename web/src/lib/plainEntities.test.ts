import { expect, test } from "vitest";
import { plainEntities } from "./plainEntities";

test("references become characters, once", () => {
    expect(plainEntities("a &lt; b &amp;&amp; c &#62; d &#x4f60; &amp;lt;")).toBe("a < b && c > d 你 &lt;");
});

test("what is no reference stays", () => {
    expect(plainEntities("&unknown; &; &#0; &#x110000; A&B")).toBe("&unknown; &; &#0; &#x110000; A&B");
});
