/**
 * The first rows of a text in CSV or TSV, to be looked at: quotes hold separators and line ends, a doubled quote is
 * one. A row that the text breaks off in is left out when `whole` is false. (Imports are read by the data runner.)
 */
export function parseCsv(text: string, separator: "," | "\t", most: number, whole: boolean): string[][] {
    const rows: string[][] = [];
    let row: string[] = [];
    let cell = "";
    let quoted = false;
    const endCell = () => {
        row.push(cell);
        cell = "";
    };
    const endRow = () => {
        endCell();
        if (row.length > 1 || row[0] !== "") rows.push(row);
        row = [];
    };
    for (let at = 0; at < text.length && rows.length < most; at++) {
        const letter = text[at]!;
        if (quoted) {
            if (letter !== '"') cell += letter;
            else if (text[at + 1] === '"') cell += text[++at];
            else quoted = false;
        } else if (letter === '"' && cell === "") quoted = true;
        else if (letter === separator) endCell();
        else if (letter === "\n") endRow();
        else if (letter !== "\r") cell += letter;
    }
    if (whole && rows.length < most && (cell !== "" || row.length > 0)) endRow();
    return rows;
}
