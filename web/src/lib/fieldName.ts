/*
 * Names of fields as the filter language writes them: an attribute is a word, anything else is a group and a
 * key, and a key with other characters than the language takes bare stands in double quotes or backticks.
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
    const quoted = BARE.test(key) ? key : key.includes('"') ? `\`${key}\`` : `"${key}"`;
    const name = `${group}.${quoted}`;
    return part === "last" ? name : `${part}(${name})`;
}

export function parseFieldName(text: string): FieldName {
    const call = /^(min|max)\((.*)\)$/s.exec(text);
    const name = call ? call[2]! : text;
    const dot = /^(metrics|params|tags)\.(.*)$/s.exec(name);
    if (!dot) return { group: null, key: name, part: "last" };
    return { group: dot[1] as FieldGroup, key: dot[2]!.replace(/^(["`])(.*)\1$/s, "$2"), part: (call?.[1] ?? "last") as MetricPart };
}
