/* Files by drop, by click or by keyboard (it is a button). */
import { UploadCloud } from "lucide-react";
import { useRef, useState, type DragEvent } from "react";
import { cx } from "../lib/cx";
import css from "./FileDrop.module.css";

interface FileDropProps {
    title: string;
    hint: string;
    accept?: string;
    multiple?: boolean;
    onFiles: (files: File[]) => void;
}

export function FileDrop({ title, hint, accept, multiple, onFiles }: FileDropProps) {
    const input = useRef<HTMLInputElement>(null);
    const [over, setOver] = useState(false);
    const onDrop = (event: DragEvent) => {
        event.preventDefault();
        setOver(false);
        const files = [...event.dataTransfer.files];
        if (files.length > 0) onFiles(multiple ? files : files.slice(0, 1));
    };
    return (
        <>
            <button
                type="button"
                className={cx(css.drop, over && css.over)}
                onClick={() => input.current?.click()}
                onDragOver={(event) => {
                    event.preventDefault();
                    setOver(true);
                }}
                onDragLeave={() => setOver(false)}
                onDrop={onDrop}
            >
                <UploadCloud size={26} aria-hidden />
                <strong>{title}</strong>
                <span>{hint}</span>
            </button>
            <input
                ref={input}
                type="file"
                hidden
                accept={accept}
                multiple={multiple}
                onChange={(event) => {
                    onFiles([...(event.target.files ?? [])]);
                    event.target.value = "";
                }}
            />
        </>
    );
}
