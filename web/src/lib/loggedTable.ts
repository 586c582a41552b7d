/** The rows of a table in JSON, as mlflow.log_table and DataFrame.to_json(orient="split") write it; null when it is none. */
export function loggedTable(value: unknown): { columns: string[]; rows: string[][] } | null {
    if (typeof value !== "object" || value === null || !("columns" in value) || !("data" in value)) return null;
    const { columns, data } = value;
    if (!Array.isArray(columns) || !Array.isArray(data) || !data.every(Array.isArray)) return null;
    const text = (cell: unknown) => (typeof cell === "string" ? cell : JSON.stringify(cell) ?? "");
    return { columns: columns.map(text), rows: (data as unknown[][]).map((row) => row.map(text)) };
}
