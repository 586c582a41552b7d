/*
 * Names of fields as the filter language writes them: an attribute is a word, anything else is a group and a
 * key, and a key with other characters than the language takes bare stands in quotes, where a quote is doubled.
 */
const BARE = /^[\p{L}\p{N}_\-./:@]+$/u;

export type FieldGroup = "metrics" | "params" | "tags";
export type MetricPart = "last" | "min" | "max";

export interface FieldName {
    /** null: an attribute. */
    group: FieldGroup | null;
    key: string;
    part: MetricPart;
}

export function fieldName({ group, key, part }: FieldName): string {
    if (group === null) return key;
    const quoted = BARE.test(key) ? key : `"${key.replaceAll('"', '""')}"`;
    const name = `${group}.${quoted}`;
    return part === "last" ? name : `${part}(${name})`;
}

export function parseFieldName(text: string): FieldName {
    const call = /^(min|max)\((.*)\)$/s.exec(text);
    const name = call ? call[2]! : text;
    const dot = /^(metrics|params|tags)\.(.*)$/s.exec(name);
    if (!dot) return { group: null, key: name, part: "last" };
    const key = dot[2]!.replace(/^(["`])(.*)\1$/s, (_whole, mark: string, inner: string) => inner.replaceAll(mark + mark, mark));
    return { group: dot[1] as FieldGroup, key, part: (call?.[1] ?? "last") as MetricPart };
}
