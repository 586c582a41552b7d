import { expect, test } from "vitest";
import { readable, spanContent } from "./spanBody";

const text = (key: string, string_value: string) => ({ key, value: { string_value } });

test("inputs and outputs stand apart, attributes are read", () => {
    const content = spanContent({
        attributes: [
            text("mlflow.spanInputs", '{"question":"why"}'), text("mlflow.spanOutputs", '"because"'), text("mlflow.spanType", '"LLM"'), text("model", '"größe"'),
            { key: "n", value: { int_value: 3 } }, { key: "list", value: { array_value: { values: [{ bool_value: false }, { kvlist_value: { values: [text("deep", "x")] } }] } } },
        ],
        events: [{ name: "exception", time_unix_nano: 5, attributes: [text("exception.message", "broken")] }],
        status: { code: "STATUS_CODE_ERROR", message: "broken" },
    });
    expect(content.inputs).toBe('{\n  "question": "why"\n}');
    expect(content.outputs).toBe("because");
    expect(content.attributes).toEqual([["model", "größe"], ["n", "3"], ["list", '[\n  false,\n  {\n    "deep": "x"\n  }\n]']]);
    expect(content.events).toEqual([{ name: "exception", at_ns: 5, attributes: [["exception.message", "broken"]] }]);
    expect(content.message).toBe("broken");
});

test("what is no span shows nothing, and no text is taken for more than it is", () => {
    for (const body of [null, 3, [], {}, { attributes: "x", events: { length: 2 }, status: [] }, { attributes: [null, { key: 1, value: 2 }] }]) expect(spanContent(body).inputs).toBeNull();
    expect(readable("{broken")).toBe("{broken");
    expect(readable('"<img src=x>"')).toBe("<img src=x>");
    expect(readable("12")).toBe("12");
});
